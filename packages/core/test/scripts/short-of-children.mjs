// What comes of calls that start a child while the system is short of something, plain and in greenlets, and
// afterwards. How it is made short, and ended, is argv[2]: `descriptors`, or the file that says so to
// short-system.c.
import childProcess from 'node:child_process';
import fs from 'node:fs';
import { run, sleep, spawn } from '@tendril/core';
import { patchAll } from '@tendril/core/monkey';
import { Popen, run as runProgram } from '@tendril/core/subprocess';
import { fewDescriptors } from '../../../../tools/few-descriptors.mjs';

patchAll();
const [, , how] = process.argv;
if (how === 'descriptors') fewDescriptors(64);
const taken = [];
const take = () => {
  if (how !== 'descriptors') fs.writeFileSync(how, '');
  else
    try {
      for (;;) taken.push(fs.openSync('/dev/null', 'r'));
    } catch {
      // all of them
    }
};
const giveBack = () => {
  if (how !== 'descriptors') fs.unlinkSync(how);
  else for (const fd of taken.splice(0)) fs.closeSync(fd);
};

const all = { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] };
const calls = {
  spawnSync: () => childProcess.spawnSync('echo', ['a', 'b']),
  input: () => childProcess.spawnSync('cat', { input: 'x'.repeat(300_000) }),
  ignore: () => childProcess.spawnSync('echo', { stdio: 'ignore' }),
  pipes: () => childProcess.spawnSync('echo', ['a'], all),
  shell: () => childProcess.spawnSync('echo', ['a'], { shell: true }),
  execSync: () => childProcess.execSync('echo a'),
  execFileSync: () => childProcess.execFileSync('echo', ['a']),
  limits: () => childProcess.execFileSync('echo', ['a'], { timeout: 60_000, maxBuffer: 100 }),
};
const outcome = (call) => {
  const plain = (value) => {
    if (!value || typeof value !== 'object' || Buffer.isBuffer(value)) return String(value);
    const own = {};
    for (const key of Object.keys(value))
      own[key] =
        value[key] === value
          ? 'itself'
          : key === 'pid' && value.pid > 0
            ? 'a pid'
            : value[key] instanceof Error
              ? plain(value[key])
              : String(value[key]);
    return value instanceof Error ? { message: value.message, ...own } : own;
  };
  try {
    return plain(call());
  } catch (error) {
    return { thrown: plain(error) };
  }
};
const outcomes = () =>
  Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, outcome(call)]));
const own = {
  run: () => runProgram('true', [], { input: '' }).status,
  Popen: () => {
    const child = new Popen('true');
    try {
      return child.wait();
    } finally {
      child[Symbol.dispose]();
    }
  },
};
const code = (call) => {
  try {
    return call();
  } catch (error) {
    return error.code;
  }
};
const ownOutcomes = () =>
  Object.fromEntries(Object.entries(own).map(([name, call]) => [name, code(call)]));

const uncaught = [];
process.on('uncaughtException', (error) => uncaught.push(error.message));
take();
const plain = outcomes();
giveBack();
await run(() => {
  take();
  const green = spawn(outcomes).get();
  const crowd = Array.from({ length: 5 }, () => spawn(() => code(calls.execSync)));
  const codes = crowd.map((one) => one.get());
  const subprocess = ownOutcomes();
  for (let turn = 0; turn < 5; turn++) sleep(1);
  giveBack();
  const after = outcomes();
  const ownAfter = ownOutcomes();
  console.log(JSON.stringify({ plain, green, codes, subprocess, after, ownAfter, uncaught }));
});
