import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runScript } from './helpers/run-script.js';

test('workers use fibers, also alone, and go with them parked or running', () => {
  const { stdout, stderr } = runScript('workers.mjs');
  const expected = [
    ...Array(4).fill('finish: 3000, exit 0'),
    ...Array(4).fill('park: parked, exit 1'),
    'busy: busy, exit 1',
    'exit: nothing, exit 7',
    'grows: no',
  ];
  assert.deepEqual(stdout.trim().split('\n'), expected, stderr);
});

test('workers end in the midst of a marking, with the addon in the main thread and without', () => {
  for (const alone of ['alone', 'shared']) {
    const { status, stdout, stderr } = runScript(
      'marking.mjs',
      [alone],
      ['--stress-incremental-marking'],
    );
    assert.deepEqual([stdout, status], ['all have ended\n', 0], `${alone}: ${stderr}`);
  }
});

test('worker.terminate() ends a worker that is about to switch stacks', () => {
  const count = process.env.TENDRIL_TEST_LONG === '1' ? 200 : 24;
  const { stdout, signal } = runScript('terminated.mjs', [String(count)]);
  assert.deepEqual([stdout, signal], [`${count}\n`, null]);
});

describe('a process with parked fibers exits', () => {
  test('from process.exit() inside a fiber', () =>
    assert.equal(runScript('exit.mjs', ['inside']).status, 9));
  test('when the event loop is empty, with its code', () =>
    assert.equal(runScript('exit.mjs', ['code']).status, 5));
  test('by an error that comes out of a fiber', () => {
    const { status, stderr } = runScript('exit.mjs', ['throw']);
    assert.equal(status, 1);
    assert.match(stderr, /thrown in a fiber/);
  });
});
