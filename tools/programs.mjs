// Finds programs that tests need, and prints their paths, a line each. On Debian, as root, it installs
// what is missing; elsewhere it says what to install.
//
//   node tools/programs.mjs chromium curl ab

import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/**
 * Names under which a program may be found, and the Debian package that has it.
 *
 * @type {Record<string, { names: string[], debian: string }>}
 */
const programs = {
  ab: { names: ['ab'], debian: 'apache2-utils' },
  chromium: {
    names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    debian: 'chromium',
  },
  curl: { names: ['curl'], debian: 'curl' },
  openssl: { names: ['openssl'], debian: 'openssl' },
  python3: { names: ['python3'], debian: 'python3' },
  wget: { names: ['wget'], debian: 'wget' },
  wrk: { names: ['wrk'], debian: 'wrk' },
};

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} program */
function find(program) {
  const given = process.env[`TENDRIL_${program.toUpperCase()}`];
  if (given) {
    if (isExecutable(given)) return given;
    throw new Error(`TENDRIL_${program.toUpperCase()} is ${given}, which cannot be executed`);
  }
  const dirs = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/bin', '/usr/sbin'];
  const { names } = programs[program];
  return names.flatMap((name) => dirs.map((dir) => path.join(dir, name))).find(isExecutable);
}

/** @param {string[]} args */
function apt(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', args, { env, stdio: ['ignore', 2, 2] }).status === 0;
}

/** @param {string[]} packages */
function install(packages) {
  // Test files run side by side: whoever comes second waits for the lock.
  const args = ['install', '-y', '-qq', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'];
  if (!apt([...args, ...packages])) apt(['update', '-qq']) && apt([...args, ...packages]);
}

/**
 * @param {string[]} wanted
 * @returns {string[]} their paths
 * @throws {Error} that says what to install
 */
function locate(wanted) {
  const unknown = wanted.filter((program) => !Object.hasOwn(programs, program));
  if (unknown.length > 0) throw new Error(`Unknown here: ${unknown.join(', ')}`);
  const missing = () => wanted.filter((program) => !find(program));
  const packages = missing().map((program) => programs[program].debian);
  if (packages.length > 0 && process.getuid?.() === 0 && isExecutable('/usr/bin/apt-get'))
    install(packages);
  const still = missing();
  if (still.length === 0) return wanted.map((program) => /** @type {string} */ (find(program)));
  const names = still.map((program) => programs[program].debian).join(' ');
  const variables = still.map((program) => `TENDRIL_${program.toUpperCase()}`).join(', ');
  throw new Error(
    `Not found: ${still.join(', ')}. Install what is missing, on Debian with\n\n` +
      `    sudo apt-get update && sudo apt-get install --no-install-recommends ${names}\n\n` +
      `or name an executable in ${variables}.`,
  );
}

try {
  console.log(locate(process.argv.slice(2)).join('\n'));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
