/** Runs a program of test/scripts in a process of its own: crashes are exit codes there. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface ScriptResult {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Where a program of test/scripts is. */
export function scriptPath(name: string): string {
  return fileURLToPath(new URL(`../../test/scripts/${name}`, import.meta.url));
}

export function runScript(name: string, args: string[] = [], flags: string[] = []): ScriptResult {
  const file = scriptPath(name);
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ['--expose-gc', ...flags, file, ...args],
    { encoding: 'utf8', timeout: 600_000 },
  );
  return { status, signal, stdout, stderr };
}
