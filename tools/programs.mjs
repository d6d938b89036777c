// Finds programs that tests need, and prints their paths, a line each. On Debian, as root, it installs
// what is missing; elsewhere it says what to install.
//
//   node tools/programs.mjs chromium curl ab

import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Names under which a program may be found, and the Debian package that has it; for a Python with a
 * module, that module.
 *
 * @type {Record<string, { names: string[], debian: string, module?: string }>}
 */
const programs = {
  ab: { names: ['ab'], debian: 'apache2-utils' },
  mariadbd: { names: ['mariadbd', 'mysqld'], debian: 'mariadb-server' },
  'mariadb-install-db': {
    names: ['mariadb-install-db', 'mysql_install_db'],
    debian: 'mariadb-server',
  },
  memcached: { names: ['memcached'], debian: 'memcached' },
  postgres: { names: ['postgres'], debian: 'postgresql' },
  initdb: { names: ['initdb'], debian: 'postgresql' },
  'redis-server': { names: ['redis-server'], debian: 'redis-server' },
  chromium: {
    names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    debian: 'chromium',
  },
  curl: { names: ['curl'], debian: 'curl' },
  openssl: { names: ['openssl'], debian: 'openssl' },
  python3: { names: ['python3'], debian: 'python3' },
  'python3-zmq': { names: ['python3'], debian: 'python3-zmq', module: 'zmq' },
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

/**
 * @param {string} python
 * @param {string} module
 */
function imports(python, module) {
  return spawnSync(python, ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0;
}

/** @param {string} program the environment variable that names it */
function variable(program) {
  return `TENDRIL_${program.toUpperCase().replaceAll('-', '_')}`;
}

/** Debian keeps PostgreSQL's programs out of the PATH, in a folder for each version; newest first. */
function postgresFolders() {
  const base = '/usr/lib/postgresql';
  if (!existsSync(base)) return [];
  const versions = readdirSync(base).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => path.join(base, version, 'bin'));
}

/** @param {string} program */
function find(program) {
  const given = process.env[variable(program)];
  if (given) {
    if (isExecutable(given)) return given;
    throw new Error(`${variable(program)} is ${given}, which cannot be executed`);
  }
  const usual = ['/usr/bin', '/usr/sbin', ...postgresFolders()];
  const dirs = [...(process.env.PATH ?? '').split(path.delimiter), ...usual];
  const { names, module } = programs[program];
  const files = names.flatMap((name) => dirs.map((dir) => path.join(dir, name)));
  return files.find((file) => isExecutable(file) && (!module || imports(file, module)));
}

/** @param {string[]} args */
function apt(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', args, { env, stdio: ['ignore', 2, 2] }).status === 0;
}

/** @param {string[]} packages */
function install(packages) {
  // The distribution's own instances are not ours, and are not to start: policy-rc.d forbids it.
  const policy = '/usr/sbin/policy-rc.d';
  const ownPolicy = !existsSync(policy);
  if (ownPolicy) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    installThem(packages);
  } finally {
    if (ownPolicy) rmSync(policy, { force: true });
  }
}

/** @param {string[]} packages */
function installThem(packages) {
  // Test files run side by side: whoever comes second waits for the lock.
  const args = ['install', '-y', '-qq', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'];
  if (!apt([...args, ...packages])) apt(['update', '-qq']) && apt([...args, ...packages]);
}

/**
 * @param {string[]} wanted
 * @returns {string[]} their paths
 * @throws {Error} that says what to install
 */
export function locate(...wanted) {
  const unknown = wanted.filter((program) => !Object.hasOwn(programs, program));
  if (unknown.length > 0) throw new Error(`Unknown here: ${unknown.join(', ')}`);
  const missing = () => wanted.filter((program) => !find(program));
  const packages = [...new Set(missing().map((program) => programs[program].debian))];
  if (packages.length > 0 && process.getuid?.() === 0 && isExecutable('/usr/bin/apt-get'))
    install(packages);
  const still = missing();
  if (still.length === 0) return wanted.map((program) => /** @type {string} */ (find(program)));
  const names = [...new Set(still.map((program) => programs[program].debian))].join(' ');
  const variables = still.map(variable).join(', ');
  throw new Error(
    `Not found: ${still.join(', ')}. Install what is missing, on Debian with\n\n` +
      `    sudo apt-get update && sudo apt-get install --no-install-recommends ${names}\n\n` +
      `or name an executable in ${variables}.`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(locate(...process.argv.slice(2)).join('\n'));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
