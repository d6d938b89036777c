/** Children for which there are no descriptors, processes or memory. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { constants } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { leaveNothing, withoutCertificates } from '../helpers.js';
import { temporaryFolder } from '../io-helpers.js';

leaveNothing();
const folder = temporaryFolder();
const script = (name: string) =>
  fileURLToPath(new URL(`../../test/scripts/${name}`, import.meta.url));
const library = path.join(folder, 'short-system.so');
const node = process.execPath;
const timeout = 120_000;

function checkOutcomes(printed: string, code: string): void {
  const { plain, green, codes, subprocess, after, ownAfter, uncaught } = JSON.parse(printed);
  const whole = JSON.stringify(plain);
  for (const name of Object.keys(plain)) {
    assert.deepEqual(green[name], plain[name], name);
    assert.equal(JSON.stringify(after[name]).includes(code), false, `${name}, afterwards`);
  }
  assert.ok(whole.includes(code), 'the system was short of it');
  assert.deepEqual(codes, Array(5).fill(code), 'of several at once');
  assert.deepEqual(subprocess, { run: code, Popen: code });
  assert.deepEqual(ownAfter, { run: 0, Popen: 0 });
  assert.deepEqual(uncaught, []);
}

describe('a child that the system is too short of something for', () => {
  test('fails as it does in plain Node without descriptors, and works when there are some', () => {
    const args = [script('short-of-children.mjs'), 'descriptors'];
    const env = withoutCertificates();
    checkOutcomes(execFileSync(node, args, { env, encoding: 'utf8', timeout }), 'EMFILE');
  });

  const cases = [
    ['EAGAIN', 'fork', 0],
    ['ENOMEM', 'fork', 0],
    ['EMFILE', 'socketpair', 0],
    ['EMFILE', 'socketpair', 1],
    ['ENFILE', 'socketpair', 2],
    ['ENOMEM', 'socketpair', 1],
  ] as const;
  for (const [code, call, made] of cases)
    test(`the same for ${code} of ${call}${made ? `, ${made} made` : ''}`, () => {
      execFileSync(process.env.CC ?? 'cc', [
        '-shared',
        '-fPIC',
        '-o',
        library,
        script('short-system.c'),
      ]);
      const env = {
        ...process.env,
        LD_PRELOAD: library,
        SHORT: path.join(folder, 'short'),
        CALL: call,
        MADE: String(made),
        ERROR: String(constants.errno[code]),
      };
      const args = [script('short-of-children.mjs'), env.SHORT];
      checkOutcomes(execFileSync(node, args, { env, encoding: 'utf8', timeout }), code);
    });

  test('waits for descriptors that other children give back', () => {
    const args = [script('children-with-few-descriptors.mjs'), '60'];
    const env = withoutCertificates();
    const printed = execFileSync(node, args, { env, encoding: 'utf8', timeout });
    assert.deepEqual(JSON.parse(printed), { done: 60 });
  });
});
