// TypeScript 7, the compiler in native code, with the arguments of `tsc`: three times as fast as 6, whose
// package stays beside it under the name `typescript` for dependency-cruiser, which needs its API.

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const { resolve } = createRequire(import.meta.url);
export const tsc = path.join(path.dirname(resolve('typescript-7/package.json')), 'bin/tsc');

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { status, error } = spawnSync(process.execPath, [tsc, ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  if (error) throw error;
  process.exitCode = status ?? 1;
}
