/** Programs that tests run; tools/programs.mjs finds or installs them. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const finder = fileURLToPath(new URL('../../../tools/programs.mjs', import.meta.url));

/** Where they are. @throws Error that says what to install */
export function programs<const Name extends string>(...names: Name[]): Record<Name, string> {
  const found = spawnSync(process.execPath, [finder, ...names], { encoding: 'utf8' });
  if (found.status !== 0) throw new Error(found.stderr);
  const paths = found.stdout.trim().split('\n');
  return Object.fromEntries(names.map((name, i) => [name, paths[i]])) as Record<Name, string>;
}
