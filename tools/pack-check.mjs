// `npm run pack:check`: packs every public package as npm would publish it, looks at what is in the
// tarballs, installs them into an empty project, and runs and type-checks small programs there.

import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { otherNodes } from './nodes.mjs';
import { prebuilds } from './prebuilds.mjs';
import { root, turbo } from './turbo.mjs';

/** What is made for ourselves and of no use to a user. */
const junk = [
  /(^|\/)(test|tests|\.test-build|\.turbo|node_modules)\//,
  /\.(test|spec)\./,
  /\.tsbuildinfo$/,
  /(^|\/)tsconfig.*\.json$/,
  /(^|\/)turbo\.json$/,
  /^build\//,
  /\.(o|a|d|log|tgz)$/,
];

/** @type {string[]} */
const problems = [];

/** @param {string} file @param {string[]} args @param {string} cwd */
function run(file, args, cwd) {
  // npm's variables of the script that runs us would lead an inner npm back to this workspace.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(config_local_prefix|package_)/.test(name),
    ),
  );
  return execFileSync(file, args, {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function publicPackages() {
  return readdirSync(path.join(root, 'packages'))
    .map((name) => path.join(root, 'packages', name))
    .filter((dir) => existsSync(path.join(dir, 'package.json')))
    .map((dir) => ({
      dir,
      manifest: JSON.parse(readFileSync(path.join(dir, 'package.json'), 'utf8')),
    }))
    .filter(({ manifest }) => !manifest.private);
}

/** @param {unknown} value @returns {string[]} every path in an `exports`, `imports` or `bin` field */
function paths(value) {
  if (typeof value === 'string') return [path.posix.normalize(value)];
  return value && typeof value === 'object' ? Object.values(value).flatMap(paths) : [];
}

/** @param {string} pattern @param {string[]} files */
function matches(pattern, files) {
  const [start, end] = pattern.split('*');
  if (end === undefined) return files.includes(pattern);
  return files.some((file) => file.startsWith(start ?? '') && file.endsWith(end));
}

/** @param {Record<string, unknown>} manifest @param {string[]} files */
function inspect(manifest, files) {
  const named = [manifest.exports, manifest.imports, manifest.bin, manifest.main, manifest.types];
  for (const file of named.flatMap(paths)) {
    if (!matches(file, files))
      problems.push(`${manifest.name}: package.json names ${file}, not packed`);
  }
  for (const file of files.filter((name) => junk.some((pattern) => pattern.test(name)))) {
    problems.push(`${manifest.name}: ${file} is packed and should not be`);
  }
  for (const file of ['LICENSE', 'package.json']) {
    if (!files.includes(file)) problems.push(`${manifest.name}: ${file} is not packed`);
  }
}

/** @param {string[]} files */
function inspectAddons(files) {
  const abis = [process.execPath, ...otherNodes().map((node) => node.path)].map((node) =>
    run(node, ['-p', 'process.versions.modules'], root).trim(),
  );
  for (const abi of new Set(abis)) {
    const file = `prebuilds/linux-${process.arch}/fiber.abi${abi}.node`;
    if (!files.includes(file)) problems.push(`@tendril/fiber: ${file} is not packed`);
  }
}

/** @param {string} title @param {() => void} check */
function attempt(title, check) {
  try {
    check();
    console.log(`${title}: ok`);
  } catch (error) {
    const output = /** @type {{ stdout?: string }} */ (error).stdout ?? '';
    problems.push(`${title}: ${error instanceof Error ? error.message : error}\n${output}`);
  }
}

/** Packages that stand in for one of npm's under its name: how that is asked for is in their READMEs. */
const aliases = ['fibers', 'deasync'];

/** @param {string} project @param {string[]} tarballs */
function install(project, tarballs) {
  const { devDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const tools = ['typescript', '@types/node'].map((name) => `${name}@${devDependencies[name]}`);
  const aliased = aliases.map((name) => {
    const tarball = tarballs.find((file) => path.basename(file).startsWith(`tendril-${name}-`));
    return `${name}@file:${tarball}`;
  });
  writeFileSync(path.join(project, 'package.json'), '{ "name": "smoke", "private": true }\n');
  run(
    'npm',
    [
      'install',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      ...tarballs,
      ...aliased,
      ...tools,
    ],
    project,
  );
  for (const file of readdirSync(path.join(root, 'tools/pack-smoke'))) {
    copyFileSync(path.join(root, 'tools/pack-smoke', file), path.join(project, file));
  }
}

function main() {
  if (!turbo(['build'], { quiet: true }) || !prebuilds()) return false;
  const temporary = mkdtempSync(path.join(tmpdir(), 'tendril-pack-'));
  try {
    const tarballs = publicPackages().map(({ dir, manifest }) => {
      const packed = run(
        'npm',
        ['pack', '--json', '--loglevel=error', '--pack-destination', temporary],
        dir,
      );
      const [{ filename, files, size }] = JSON.parse(packed);
      /** @type {string[]} */
      const names = files.map((/** @type {{ path: string }} */ file) => file.path);
      console.log(`${filename}: ${names.length} files, ${Math.ceil(size / 1024)} KB`);
      inspect(manifest, names);
      if (manifest.name === '@tendril/fiber') inspectAddons(names);
      return path.join(temporary, filename);
    });
    const project = path.join(temporary, 'project');
    mkdirSync(project);
    install(project, tarballs);
    attempt('ESM JavaScript', () => run(process.execPath, ['esm.mjs'], project));
    attempt('CommonJS JavaScript', () => run(process.execPath, ['commonjs.cjs'], project));
    for (const { major, path: node } of otherNodes()) {
      attempt(`ESM JavaScript, Node ${major}`, () => run(node, ['esm.mjs'], project));
      attempt(`CommonJS JavaScript, Node ${major}`, () => run(node, ['commonjs.cjs'], project));
    }
    attempt('TypeScript, ESM and CommonJS', () =>
      run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.'], project),
    );
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  for (const problem of problems) console.error(problem);
  console.log(problems.length === 0 ? 'pack check: ok' : `pack check: ${problems.length} problems`);
  return problems.length === 0;
}

if (!main()) process.exitCode = 1;
