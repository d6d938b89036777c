// `npm run test:repeat`: `npm ci && npm test` in a clean clone of HEAD, and `npm test` again and again, on a
// quiet machine and beside busy loops, with a log of each run. A test that fails in one of ten runs is a finding.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './turbo.mjs';

const usage = `usage: npm run test:repeat -- [--times <n>] [--busy <n>] [--hogs <n>] [--logs <folder>] [--minutes <n>] [--anew]
  --times    how often in all; default 10
  --busy     how many of them beside busy loops, the last ones; default half of them
  --hogs     how many busy loops; default one for each processor
  --logs     where the logs go, and summary.txt; default a new folder in the temporary directory
  --minutes  begin no run that would not end in this time, judged by the longest of its kind so far
  --anew     a new clone for each run, which installs and builds everything; else the first one serves all
The clone has what is committed.`;

/** @param {string | undefined} text @param {string} name @param {number} byDefault */
function wholeNumber(text, name, byDefault) {
  if (text === undefined) return byDefault;
  if (!/^\d+$/.test(text)) throw new Error(`--${name} takes a whole number, not ${text}`);
  return Number(text);
}

/** Processes that take a processor each until `stop` is called, or until this process ends. */
function startHogs(/** @type {number} */ count) {
  // A hog looks at its parent now and then, so that none is left behind a run that was killed.
  const program = `for (let last = Date.now(); ; ) if (Date.now() - last > 2000) {
    last = Date.now();
    if (process.ppid !== ${process.pid}) process.exit();
  }`;
  const hogs = Array.from({ length: count }, () =>
    spawn(process.execPath, ['-e', program], { stdio: 'ignore' }),
  );
  return () => {
    for (const hog of hogs) hog.kill('SIGKILL');
  };
}

/** A clone of what is committed here. */
function makeClone() {
  const clone = mkdtempSync(path.join(tmpdir(), 'tendril-clone-'));
  const args = ['clone', '--quiet', '--no-hardlinks', root, clone];
  const { status, stderr } = spawnSync('git', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`git clone: ${stderr}`);
  return clone;
}

/**
 * @param {string} clone
 * @param {string} command
 * @param {string} log
 */
async function runOnce(clone, command, log) {
  // npm's variables of the script that runs us would lead an inner npm back to this workspace.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(config_local_prefix|package_|lifecycle)/.test(name),
    ),
  );
  const output = openSync(log, 'w');
  const started = performance.now();
  const child = spawn('sh', ['-c', command], {
    cwd: clone,
    env: { ...env, CI: 'true' },
    stdio: ['ignore', output, output],
  });
  const [status, signal] = await once(child, 'exit');
  closeSync(output);
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
  const failures = lines.lastIndexOf('Failed:');
  return {
    passed: status === 0,
    seconds: Math.round((performance.now() - started) / 1000),
    summary: lines.at(-1) ?? `ended with ${signal ?? status}`,
    failures: failures < 0 ? [] : lines.slice(failures + 1, -2).map((line) => line.trim()),
  };
}

async function main() {
  const { values } = parseArgs({
    options: {
      times: { type: 'string' },
      busy: { type: 'string' },
      hogs: { type: 'string' },
      logs: { type: 'string' },
      minutes: { type: 'string' },
      anew: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(usage);
    return true;
  }
  const times = wholeNumber(values.times, 'times', 10);
  const busy = Math.min(times, wholeNumber(values.busy, 'busy', Math.floor(times / 2)));
  const hogs = wholeNumber(values.hogs, 'hogs', availableParallelism());
  const limit = wholeNumber(values.minutes, 'minutes', Number.POSITIVE_INFINITY) * 60;
  const logs = path.resolve(values.logs ?? mkdtempSync(path.join(tmpdir(), 'tendril-repeat-')));
  mkdirSync(logs, { recursive: true });
  const say = (/** @type {string} */ line) => {
    console.log(line);
    appendFileSync(path.join(logs, 'summary.txt'), `${line}\n`);
  };

  const begun = performance.now();
  /** The longest run so far, quiet and busy, in seconds. */
  const longest = { quiet: 0, busy: 0 };
  let [done, failed] = [0, 0];
  say(`${times} runs, ${busy} of them beside ${hogs} busy loops; logs in ${logs}`);
  /** @type {string | undefined} */
  let clone;
  try {
    for (let run = 1; run <= times; run++) {
      const kind = run > times - busy ? 'busy' : 'quiet';
      if ((performance.now() - begun) / 1000 + longest[kind] > limit) {
        say(`run ${run} and those after it: no time`);
        break;
      }
      const command = clone ? 'npm test' : 'npm ci && npm test';
      clone ??= makeClone();
      const stopHogs = startHogs(kind === 'busy' ? hogs : 0);
      try {
        const log = path.join(logs, `run-${run}.log`);
        const { passed, seconds, summary, failures } = await runOnce(clone, command, log);
        longest[kind] = Math.max(longest[kind], seconds);
        done++;
        if (!passed) failed++;
        const load = loadavg()[0]?.toFixed(1);
        say(
          `run ${run}, ${kind}, ${command}: ${passed ? 'passed' : 'FAILED'} in ${seconds} s, load ${load}: ${summary}`,
        );
        for (const failure of failures) say(`  ${failure}`);
      } finally {
        stopHogs();
        if (values.anew) {
          rmSync(clone, { recursive: true, force: true });
          clone = undefined;
        }
      }
    }
  } finally {
    if (clone) rmSync(clone, { recursive: true, force: true });
  }
  say(`${done - failed} runs passed, ${failed} failed`);
  return failed === 0 && done === times;
}

try {
  if (!(await main())) process.exitCode = 1;
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
  process.exitCode = 1;
}
