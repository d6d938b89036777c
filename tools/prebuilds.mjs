// `npm run prebuilds`: the addon for the running Node and for every version in tools/nodes.
// (Not named `prebuild`: npm would run that before every `build`.)

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { otherNodes } from './nodes.mjs';
import { root } from './turbo.mjs';

/**
 * @param {{ all?: boolean }} [options] `all: false`: for the running Node alone
 * @returns {boolean} whether all of them are there now
 */
export function prebuilds({ all = true } = {}) {
  if (all) otherNodes();
  const script = path.join(root, 'packages/fiber/tools/build.mjs');
  const args = all ? ['--all'] : [];
  return spawnSync(process.execPath, [script, ...args], { stdio: 'inherit' }).status === 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url) && !prebuilds()) process.exitCode = 1;
