// Finds Chromium for tests in a real browser, and prints its path. On Debian, as root, it installs
// what is missing.
//
//   node tools/chromium.mjs

import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const install = ['install', '-y', '-qq', '--no-install-recommends', 'chromium'];

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @returns {string | undefined} */
function find() {
  const dirs = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/bin'];
  return names.flatMap((name) => dirs.map((dir) => path.join(dir, name))).find(isExecutable);
}

/** @param {string[]} args */
function apt(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', args, { env, stdio: ['ignore', 2, 2] }).status === 0;
}

/**
 * @returns {string} the path of an executable
 * @throws {Error} that says what to install
 */
export function chromium() {
  const given = process.env.TENDRIL_CHROMIUM;
  if (given) {
    if (isExecutable(given)) return given;
    throw new Error(`TENDRIL_CHROMIUM is ${given}, which cannot be executed`);
  }
  const known = find();
  if (known) return known;
  if (process.getuid?.() === 0 && isExecutable('/usr/bin/apt-get')) {
    if (!apt(install)) apt(['update', '-qq']) && apt(install);
    const installed = find();
    if (installed) return installed;
  }
  throw new Error(
    `There is no Chromium here (looked for ${names.join(', ')}). Install it, on Debian with\n\n` +
      `    sudo apt-get update && sudo apt-get install --no-install-recommends chromium\n\n` +
      'or name one in TENDRIL_CHROMIUM.',
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(chromium());
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
