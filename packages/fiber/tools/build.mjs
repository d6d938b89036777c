#!/usr/bin/env node
// Builds the addon into prebuilds/linux-<arch>/fiber.abi<N>.node, for the Node that runs this or for
// others. Ready builds are left alone: what is newer than every source is not built again.

import { execFileSync, spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const packageDir = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
/** Where the repository keeps its other Node versions; a published package has no such place. */
const nodesDir = path.resolve(packageDir, '../../tools/nodes/node_modules');

const usage = `usage: tendril-fiber-build [--node <path to a node binary>]... [--all] [--arch <arch> [--nodedir <dir>]] [--force]
  (nothing)   build for the Node that runs this
  --node      build for another Node; its headers are looked for beside it
  --all       build for the Node that runs this and for those in tools/nodes
  --arch      cross-build, with the compilers of CC and CXX or <triplet>-gcc and -g++
  --nodedir   where include/node is, for --arch
  --force     build even if the result is newer than the sources`;

class BuildError extends Error {}

/** @typedef {{ arch: string, abi: string, label: string, nodedir: string | undefined, execPath?: string }} Target */

/** @param {string} nodedir */
function headersAbi(nodedir) {
  const header = path.join(nodedir, 'include/node/node_version.h');
  if (!existsSync(header)) return undefined;
  return /^#define NODE_MODULE_VERSION (\d+)/m.exec(readFileSync(header, 'utf8'))?.[1];
}

/** @returns {Target} */
function runningNode() {
  const abi = process.versions.modules;
  const prefix = path.resolve(process.execPath, '../..');
  return {
    arch: process.arch,
    abi,
    label: `Node ${process.versions.node}`,
    execPath: process.execPath,
    // Headers of another Node may lie in the same prefix: only the right ones will do. Without
    // them node-gyp downloads its own.
    nodedir: headersAbi(prefix) === abi ? prefix : undefined,
  };
}

/** @param {string} binary @returns {Target} */
function otherNode(binary) {
  if (!existsSync(binary)) throw new BuildError(`no such file: ${binary}`);
  const execPath = realpathSync(binary);
  const nodedir = path.resolve(execPath, '../..');
  const [abi, version] = JSON.parse(
    execFileSync(
      execPath,
      ['-p', 'JSON.stringify([process.versions.modules, process.versions.node])'],
      {
        encoding: 'utf8',
      },
    ),
  );
  if (headersAbi(nodedir) !== abi) {
    throw new BuildError(`Node ${version} has no headers at ${path.join(nodedir, 'include/node')}`);
  }
  return { arch: process.arch, abi, label: `Node ${version}`, nodedir, execPath };
}

/** @returns {Target[]} */
function allNodes() {
  /** @type {Target[]} */
  const targets = [runningNode()];
  const names = existsSync(nodesDir) ? readdirSync(nodesDir).sort() : [];
  for (const name of names.filter((entry) => /^node\d+$/.test(entry))) {
    const nodedir = path.join(nodesDir, name);
    const abi = headersAbi(nodedir);
    if (abi === undefined || targets.some((target) => target.abi === abi)) continue;
    const { version } = JSON.parse(readFileSync(path.join(nodedir, 'package.json'), 'utf8'));
    const execPath = path.join(nodedir, 'bin/node');
    targets.push({ arch: process.arch, abi, label: `Node ${version}`, nodedir, execPath });
  }
  return targets;
}

/** @param {string} arch @param {string | undefined} nodedir @returns {Target} */
function crossTarget(arch, nodedir) {
  // Apart from config.gypi, whose architecture node-gyp overrides, the headers are the same for all
  // architectures of a version: those of node24 serve where the exact ones are not installed.
  const candidates = nodedir
    ? [path.resolve(nodedir)]
    : [path.join(nodesDir, `node-linux-${arch}`), path.join(nodesDir, 'node24')];
  const found = candidates.find((dir) => headersAbi(dir) !== undefined);
  if (!found) throw new BuildError(`no Node headers found for ${arch}: give --nodedir`);
  const abi = /** @type {string} */ (headersAbi(found));
  return { arch, abi, label: `ABI ${abi}, ${arch}`, nodedir: found };
}

/** @param {string} command */
function onPath(command) {
  const places = command.includes('/')
    ? [command]
    : (process.env.PATH ?? '').split(path.delimiter).map((dir) => path.join(dir, command));
  return places.some((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function nodeGyp() {
  const require = createRequire(import.meta.url);
  try {
    return require.resolve('node-gyp/bin/node-gyp.js');
  } catch {
    // npm brings its own copy and says where it is; it also lies at a well-known place beside Node.
    const copies = [
      process.env.npm_config_node_gyp,
      path.resolve(
        process.execPath,
        '../../lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js',
      ),
    ];
    const found = copies.find((file) => file && existsSync(file));
    if (!found) throw new BuildError('node-gyp is not installed: npm install --save-dev node-gyp');
    return found;
  }
}

/** @param {Target} target */
function toolchain(target) {
  const triplet = { arm64: 'aarch64-linux-gnu', x64: 'x86_64-linux-gnu' }[target.arch];
  const prefix = target.arch === process.arch ? '' : `${triplet ?? target.arch}-`;
  const cc = process.env.CC || `${prefix}gcc`;
  const cxx = process.env.CXX || `${prefix}g++`;
  // CC and CXX may carry a launcher or flags ("ccache g++"): the first word is what must exist.
  const wanted = [cc, cxx, 'make', process.env.PYTHON || 'python3'].map(
    (tool) => tool.split(' ')[0],
  );
  const missing = wanted.filter((tool) => !onPath(tool));
  if (missing.length > 0) {
    throw new BuildError(
      `missing: ${missing.join(', ')}. The addon needs a C++20 compiler, make and Python 3 ` +
        '(Debian and Ubuntu: apt-get install g++ make python3).',
    );
  }
  return prefix === '' ? {} : { CC: cc, CXX: cxx };
}

function newestSource() {
  const sources = readdirSync(path.join(packageDir, 'src'), {
    recursive: true,
    withFileTypes: true,
  })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  if (!sources.some((file) => file.endsWith('.cc'))) throw new BuildError('src/ has no .cc file');
  sources.push(path.join(packageDir, 'binding.gyp'));
  return Math.max(...sources.map((file) => statSync(file).mtimeMs));
}

/**
 * The engine finds by experiment where this build of Node keeps things. What it found is tried here,
 * in a process that may crash: collections and a heap snapshot within a fiber while others are
 * parked scan every stack.
 */
const selfCheck = `
  const addon = { exports: {} };
  process.dlopen(addon, process.argv[1]);
  const { Fiber, reason, statistics } = addon.exports;
  if (reason !== undefined) throw new Error(reason);
  const deep = (depth) => {
    const value = { depth };
    if (depth > 0) deep(depth - 1);
    else Fiber.suspend();
    if (value.depth !== depth) throw new Error('a value changed while its stack was parked');
  };
  const parked = Array.from({ length: 20 }, () => new Fiber(() => deep(15)));
  for (const fiber of parked) fiber.resume();
  new Fiber(() => {
    gc();
    gc({ type: 'minor' });
    require('node:v8').getHeapSnapshot().destroy();
    deep(3);
  }).resume();
  gc();
  for (const fiber of parked) fiber.resume();
  if (statistics().live !== 1) throw new Error('fibers were lost');
  console.log('held');
`;

/** @param {Target} target @param {string} addon */
function check(target, addon) {
  if (target.arch !== process.arch || !target.execPath || !existsSync(target.execPath)) return;
  const args = ['--expose-gc', '--input-type=commonjs', '--eval', selfCheck, addon];
  const ran = spawnSync(target.execPath, args, { encoding: 'utf8', timeout: 60_000 });
  if (ran.status === 0 && ran.stdout === 'held\n') return;
  rmSync(addon, { force: true });
  process.stderr.write(ran.stderr);
  throw new BuildError(
    `the addon was built for ${target.label}, but fibers do not hold there ` +
      `(${ran.signal ?? `exit code ${ran.status}`}): nothing was installed`,
  );
}

/** @param {Target} target @param {number} sourceTime @param {boolean} force */
function build(target, sourceTime, force) {
  const file = path.join('prebuilds', `linux-${target.arch}`, `fiber.abi${target.abi}.node`);
  const result = path.join(packageDir, file);
  if (!force && existsSync(result) && statSync(result).mtimeMs > sourceTime) {
    console.log(`fiber: ${file} is up to date (${target.label})`);
    return;
  }
  const env = { ...process.env, ...toolchain(target) };
  const args = [nodeGyp(), 'configure', 'build', `--arch=${target.arch}`, '--loglevel=error'];
  args.push(`--jobs=${availableParallelism()}`);
  if (target.nodedir) {
    args.push(`--nodedir=${target.nodedir}`);
    // node-gyp lets npm's configuration win over its own command line: a user's nodedir would build
    // every ABI against the same headers.
    for (const name of Object.keys(env)) {
      if (/^npm_(package_)?config_(node_gyp_)?(nodedir|target|arch)$/i.test(name)) delete env[name];
    }
  }

  // gyp always builds into ./build of the folder of binding.gyp, so each ABI gets such a folder.
  const workDir = path.join(packageDir, 'build', `${target.arch}-abi${target.abi}`);
  mkdirSync(workDir, { recursive: true });
  copyFileSync(path.join(packageDir, 'binding.gyp'), path.join(workDir, 'binding.gyp'));
  rmSync(path.join(workDir, 'src'), { force: true });
  symlinkSync('../../src', path.join(workDir, 'src'));

  console.log(`fiber: building ${file} (${target.label})`);
  const started = Date.now();
  const made = spawnSync(process.execPath, args, {
    cwd: workDir,
    env,
    stdio: 'pipe',
    encoding: 'utf8',
  });
  if (made.status !== 0) {
    process.stderr.write(made.stdout + made.stderr);
    throw new BuildError(`node-gyp failed for ${target.label}`);
  }
  // Warnings of the compiler: nobody would read them on a file that is never built again.
  process.stderr.write(made.stderr);

  mkdirSync(path.dirname(result), { recursive: true });
  // A rename, because a process may have the old file mapped.
  const temporary = `${result}.${process.pid}`;
  copyFileSync(path.join(workDir, 'build/Release/fiber.node'), temporary);
  check(target, temporary);
  renameSync(temporary, result);
  console.log(`fiber: built ${file} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

function main() {
  const { values } = parseArgs({
    options: {
      node: { type: 'string', multiple: true },
      all: { type: 'boolean' },
      arch: { type: 'string' },
      nodedir: { type: 'string' },
      force: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  if (process.platform !== 'linux') {
    // Importing works there and says why fibers do not: nothing to build, and no failure.
    console.log(`fiber: no addon for ${process.platform}, nothing built`);
    return;
  }
  /** @type {Target[]} */
  const targets = [];
  if (values.all) targets.push(...allNodes());
  for (const binary of values.node ?? []) targets.push(otherNode(binary));
  if (values.arch) targets.push(crossTarget(values.arch, values.nodedir));
  if (targets.length === 0) targets.push(runningNode());

  const sourceTime = newestSource();
  for (const target of targets) build(target, sourceTime, values.force);
}

try {
  main();
} catch (error) {
  if (error instanceof BuildError || error?.code?.startsWith('ERR_PARSE_ARGS')) {
    console.error(`fiber: ${error.message}`);
    process.exitCode = 1;
  } else throw error;
}
