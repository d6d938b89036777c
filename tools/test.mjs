// `npm test`: builds everything, lints, and runs the tests of all packages on the Node that runs
// this, then those of fiber, core and fibers on the other Node versions. What fails does not keep the rest
// from running: all of it is listed at the end.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { compile } from './compile.mjs';
import { otherNodes } from './nodes.mjs';
import { prebuilds } from './prebuilds.mjs';
import { root, turbo } from './turbo.mjs';

const usage = `usage: npm test -- [--package <name>]... [--node <major>|current]... [--filter <text>] [--long]
  --package   only this package (the name of its folder); on every Node unless --node is given
  --node      only this Node: 22, 24, 26, or current for the one that runs npm
  --filter    only test files with this text in their path
  --long      no short cuts: sets TENDRIL_TEST_LONG=1`;

/** These hold native code and what depends on Node's insides: they run on every version. */
const everywhere = ['fiber', 'core', 'fibers'];

const minute = 60_000;

/** For a test file as a whole: it stands for "hangs", on a machine that others keep busy, too. */
const fileLimit = 15 * minute;

/** Test files at a time: they wait for servers, timers and children for half of their time. */
const atATime = 2 * Math.max(2, availableParallelism());

/** @typedef {{ name: string, dir: string }} Package */
/** @typedef {{ label: string, node: string, packages: Package[], short: boolean }} Run */
/** @typedef {{ pass: number, fail: number, skipped: number, failures: string[] }} Totals */

/** @returns {Package[]} */
function workspacePackages() {
  const within = (/** @type {string} */ parent) =>
    existsSync(path.join(root, parent))
      ? readdirSync(path.join(root, parent)).map((name) => path.join(parent, name))
      : [];
  return [...within('packages'), ...within('examples'), 'benchmarks']
    .filter((dir) => existsSync(path.join(root, dir, 'package.json')))
    .map((dir) => ({ name: path.basename(dir), dir }));
}

/**
 * The compiled test files, found by their sources: the output of a test that was since deleted may
 * still lie about.
 *
 * @param {Package} pkg
 */
function testFiles({ dir }) {
  const tests = path.join(root, dir, 'test');
  if (!existsSync(tests)) return [];
  return readdirSync(tests, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .sort()
    .map((file) => path.join(dir, '.test-build', file.replace(/\.ts$/, '.js')));
}

/** @param {string} tap the runner's own summary, the last lines of its report */
function readSummary(tap) {
  const count = (/** @type {string} */ name) => {
    const lines = [...tap.matchAll(new RegExp(`^# ${name} (\\d+)$`, 'gm'))];
    return Number(lines.at(-1)?.[1] ?? Number.NaN);
  };
  return {
    pass: count('pass'),
    fail: count('fail') + count('cancelled'),
    skipped: count('skipped') + count('todo'),
  };
}

/** Lines of what a test says of its failure, and of its stack: the list at the end may be all that is kept. */
const linesOfError = 12;
const linesOfStack = 4;

/**
 * A value of TAP's YAML, as lines: in quotes behind its name, or in a block below it.
 *
 * @param {string} details
 * @param {string} name
 */
function readLines(details, name) {
  const [, indent = '', value = '', rest = ''] =
    new RegExp(`^( *)${name}: (.*)\\n?([^]*)`, 'm').exec(details) ?? [];
  if (value !== '|-') return value === '' ? [] : [value];
  const lines = rest.split('\n');
  const end = lines.findIndex((line) => line.trim() !== '' && !line.startsWith(`${indent}  `));
  return lines.slice(0, end < 0 ? undefined : end).map((line) => line.slice(indent.length + 2));
}

/**
 * The tests that failed by themselves, not the suites around them: `file:line: title`, and below it what was
 * wrong.
 *
 * @param {string} tap
 */
function readFailures(tap) {
  return [...tap.matchAll(/^ *not ok \d+ - (.*)\n( *)---\n([\s\S]*?)\n\2\.\.\./gm)]
    .filter(([, , , details = '']) => !/failureType: 'subtestsFailed'/.test(details))
    .map(([, title = '', , details = '']) => {
      const [, location] = /location: '(.*):\d+'/.exec(details) ?? [];
      const where = location
        ? `${path.relative(root, location)}: ${title}`
        : path.relative(root, title);
      const error = readLines(details, 'error').slice(0, linesOfError);
      const stack = readLines(details, 'stack').filter((line) => !line.includes('node:'));
      return [where, ...error, ...stack.slice(0, linesOfStack)].join('\n      ');
    });
}

/**
 * @param {Run} run
 * @param {{ filter: string, long: boolean }} options
 * @param {Totals} totals
 * @returns {boolean}
 */
function runTests(run, { filter, long }, totals) {
  const files = run.packages.flatMap(testFiles).filter((file) => file.includes(filter));
  console.log(
    `\n=== ${run.label}: ${run.packages.map((pkg) => pkg.name).join(', ')} (${files.length} files) ===`,
  );
  if (files.length === 0) {
    console.log('no test files');
    return true;
  }
  const reports = mkdtempSync(path.join(tmpdir(), 'tendril-test-'));
  const report = path.join(reports, 'report.tap');
  const args = [
    '--expose-gc',
    '--test',
    `--test-concurrency=${atATime}`,
    `--test-timeout=${long ? 2 * fileLimit : fileLimit}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=tap',
    `--test-reporter-destination=${report}`,
    ...files,
  ];
  const env = { ...process.env };
  // Left by a test runner around us, it would make this one report to that instead of running.
  delete env.NODE_TEST_CONTEXT;
  // Nobody here talks to the world outside, and to read its certificates takes as long as all else that Node
  // does at its start, which tests see thousands of times.
  delete env.NODE_EXTRA_CA_CERTS;
  if (long) env.TENDRIL_TEST_LONG = '1';
  if (run.short) env.TENDRIL_TEST_SHORT = '1';
  try {
    const { status, signal, error } = spawnSync(run.node, args, {
      cwd: root,
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    if (error) throw error;
    const tap = existsSync(report) ? readFileSync(report, 'utf8') : '';
    const summary = readSummary(tap);
    const note = (/** @type {string} */ failure) =>
      totals.failures.push(`${run.label}: ${failure}`);
    for (const failure of readFailures(tap)) note(failure);
    if (Number.isNaN(summary.pass + summary.fail)) {
      note(`the test runner died (${signal ?? `exit code ${status}`}) without a summary`);
      totals.fail += 1;
      return false;
    }
    totals.pass += summary.pass;
    totals.fail += summary.fail;
    totals.skipped += summary.skipped;
    if (status !== 0 && summary.fail === 0) {
      note(`the test runner failed (${signal ?? `exit code ${status}`}) though no test did`);
      totals.fail += 1;
    }
    return status === 0 && summary.fail === 0;
  } finally {
    rmSync(reports, { recursive: true, force: true });
  }
}

/**
 * @param {Package[]} packages
 * @param {string[]} nodes
 * @param {boolean} picked whether the packages were named by the user
 * @returns {Run[]}
 */
function plan(packages, nodes, picked) {
  const current = process.versions.node;
  const currentMajor = current.split('.')[0];
  /** @type {Run[]} */
  const runs = [];
  const wanted = (/** @type {string} */ major) => nodes.length === 0 || nodes.includes(major);
  if (wanted('current') || wanted(String(currentMajor))) {
    runs.push({ label: `Node ${current}`, node: process.execPath, packages, short: false });
  }
  if (nodes.length === 1 && nodes[0] === 'current') return runs;
  const others = otherNodes().filter(({ major }) => major !== currentMajor && wanted(major));
  for (const { version, path: node } of others) {
    runs.push({
      label: `Node ${version}`,
      node,
      packages: picked ? packages : packages.filter(({ name }) => everywhere.includes(name)),
      short: true,
    });
  }
  return runs;
}

/** @param {string} title @param {() => boolean | Promise<boolean>} step */
async function step(title, step) {
  console.log(`\n=== ${title} ===`);
  const started = Date.now();
  const ok = await step();
  console.log(ok ? `done in ${((Date.now() - started) / 1000).toFixed(1)} s` : `${title}: failed`);
  return ok;
}

/**
 * The addon, while tsc works on the packages.
 *
 * @param {Package[]} packages
 * @param {boolean} others the addon also for other Nodes than this one
 */
async function build(packages, others) {
  const compiled = compile(packages.map(({ dir }) => dir));
  const built = prebuilds({ all: others });
  return (await compiled) && built;
}

async function main() {
  const { values } = parseArgs({
    options: {
      package: { type: 'string', multiple: true, default: [] },
      node: { type: 'string', multiple: true, default: [] },
      filter: { type: 'string', default: '' },
      long: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(usage);
    return true;
  }
  const all = workspacePackages();
  const unknown = values.package.find((name) => !all.some((pkg) => pkg.name === name));
  if (unknown)
    throw new Error(`no package ${unknown}: there are ${all.map((pkg) => pkg.name).join(', ')}`);
  const picked = values.package.length > 0;
  const packages = picked ? all.filter((pkg) => values.package.includes(pkg.name)) : all;
  const runs = plan(packages, values.node, picked);
  if (runs.length === 0) throw new Error(`no such Node here: ${values.node.join(', ')}`);

  /** @type {Totals} */
  const totals = { pass: 0, fail: 0, skipped: 0, failures: [] };
  let ok = true;
  const check = async (
    /** @type {string} */ title,
    /** @type {() => boolean | Promise<boolean>} */ fn,
  ) => {
    if (await step(title, fn)) return;
    ok = false;
    totals.failures.push(title);
  };

  // As a task of turbo everything is built already, and a turbo within turbo would wait for itself.
  if (!process.env.TURBO_HASH) {
    const narrowed = picked || values.node.length > 0 || values.filter !== '';
    const others = runs.some((run) => run.node !== process.execPath);
    // tsc writes what it can also where a type is wrong, so the packages beside it can be tested.
    await check('build and typecheck', () => build(all, others));
    if (!narrowed) await check('lint', () => turbo(['//#lint'], { quiet: true }));
  }

  for (const run of runs) if (!runTests(run, values, totals)) ok = false;
  // A package may have no tests yet; the whole repository, or a filter, has to find some.
  if (totals.pass + totals.fail === 0 && (!picked || values.filter !== '')) {
    console.error('\nno test ran');
    ok = false;
  }
  if (totals.failures.length > 0) console.error(`\nFailed:\n  ${totals.failures.join('\n  ')}`);
  const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
  console.log(`\n${totals.pass} passed, ${totals.fail} failed${skipped}`);
  return ok;
}

try {
  if (!(await main())) process.exitCode = 1;
} catch (error) {
  console.error(error instanceof Error ? `${error.message}\n\n${usage}` : error);
  process.exitCode = 1;
}
