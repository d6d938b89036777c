// The other Node versions that the addon is built for and the tests run on.
//
// They come from the npm registry, pinned by a lockfile of their own in tools/nodes. See the
// package.json there for why they are no dependencies of the root.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { root } from './turbo.mjs';

const dir = path.join(root, 'tools/nodes');
const majors = ['22', '24', '26'];

/** @param {string} major */
const binary = (major) => path.join(dir, 'node_modules', `node${major}`, 'bin/node');

function installed() {
  const mark = path.join(dir, 'node_modules/.package-lock.json');
  if (!existsSync(mark) || !majors.every((major) => existsSync(binary(major)))) return false;
  return statSync(mark).mtimeMs >= statSync(path.join(dir, 'package-lock.json')).mtimeMs;
}

/**
 * Installs the other Node versions where that has not happened yet.
 *
 * @returns {{ major: string, version: string, path: string }[]} none on platforms that the packages
 *   do not serve
 */
export function otherNodes() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return [];
  if (!installed()) {
    console.log(`Installing Node ${majors.join(', ')} into tools/nodes`);
    // npm's own variables of the script that runs us would send it to the root's folder.
    const env = Object.fromEntries(
      Object.entries(process.env).filter(
        ([name]) => !/^npm_(config_local_prefix|package_)/.test(name),
      ),
    );
    const args = [
      'ci',
      '--no-bin-links',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      '--prefix',
      dir,
    ];
    const { status } = spawnSync('npm', args, {
      cwd: dir,
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (status !== 0 || !installed())
      throw new Error('could not install the Node versions of tools/nodes');
  }
  return majors.map((major) => {
    const manifest = path.join(dir, 'node_modules', `node${major}`, 'package.json');
    return {
      major,
      version: JSON.parse(readFileSync(manifest, 'utf8')).version,
      path: binary(major),
    };
  });
}
