// Runs turbo as this repository wants it: no telemetry, and with --quiet only what failed.

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/**
 * @param {string[]} tasks names of tasks, and options for `turbo run`
 * @param {{ quiet?: boolean }} [options]
 * @returns {boolean} whether all of them succeeded
 */
export function turbo(tasks, { quiet = false } = {}) {
  const args = ['run', ...tasks];
  if (quiet) args.push('--output-logs=errors-only', '--log-prefix=none', '--summarize=false');
  const bin = createRequire(import.meta.url).resolve('turbo/bin/turbo');
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' };
  // What turbo says of itself (packages in scope, cache hits) is only of interest when it failed.
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
    cwd: root,
    env,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
  });
  if (quiet && status !== 0) process.stderr.write(stdout + stderr);
  return status === 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  const quiet = args.includes('--quiet');
  if (
    !turbo(
      args.filter((arg) => arg !== '--quiet'),
      { quiet },
    )
  )
    process.exitCode = 1;
}
