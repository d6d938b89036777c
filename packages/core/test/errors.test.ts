import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as core from '@tendril/core';

/** Every error class of core: code, and words of its default message that say what to do. */
const table: [new (...args: never[]) => Error, unknown[], string, RegExp][] = [
  [core.NotInGreenletError, [], 'ERR_NOT_IN_GREENLET', /spawn\(fn\) or run\(fn\)/],
  [core.ConcurrentUseError, ['This socket'], 'ERR_CONCURRENT_USE', /Guard it with a Semaphore/],
  [core.CannotSwitchError, ['why'], 'ERR_CANNOT_SWITCH', /Move the blocking call out/],
  [
    core.InvalidArgumentError,
    ['ms', 'a number', 'x'],
    'ERR_INVALID_ARG',
    /`ms` must be a number; got x/,
  ],
  [core.ReleaseError, ['Not held'], 'ERR_RELEASE', /Release once for every acquire/],
  [core.LoopExit, [['a']], 'ERR_LOOP_EXIT', /would block forever/],
  [core.GreenletExit, [], 'ERR_GREENLET_EXIT', /killed/],
  [core.QueueEmpty, [], 'ERR_QUEUE_EMPTY', /try again later/],
  [core.QueueFull, [], 'ERR_QUEUE_FULL', /Wait for room/],
  [
    core.AcquireTimeoutError,
    [50, 3, 2],
    'ERR_ACQUIRE_TIMEOUT',
    /None of the pool's 3 .* 50 ms; 2 more/,
  ],
  [core.PoolClosedError, [], 'ERR_POOL_CLOSED', /closed/],
  [core.QueueShutDown, [], 'ERR_QUEUE_SHUT_DOWN', /shut down/],
  [
    core.IncompleteReadError,
    [Buffer.from('ab'), 'the end'],
    'ERR_INCOMPLETE_READ',
    /2 bytes, before the end/,
  ],
  [core.LimitExceededError, [9, 'delimiter'], 'ERR_LIMIT_EXCEEDED', /first 9 bytes. Raise `max`/],
  [core.SocketClosedError, ['This socket'], 'ERR_SOCKET_CLOSED', /Open a new one/],
  [core.UnsupportedError, ['x', 'Node 23'], 'ERR_UNSUPPORTED', /needs Node 23/],
  [core.Timeout, [5], 'ERR_TIMEOUT', /5 ms/],
];

test('every error class has its code, its name and a message that helps', () => {
  for (const [Class, args, code, message] of table) {
    const error = new Class(...(args as never[]));
    assert.ok(error instanceof core.TendrilError && error instanceof Error);
    assert.equal(error.code, code);
    assert.equal(error.name, Class.name);
    assert.match(error.message, message);
  }
});

test('the table lists every error class that core exports', () => {
  const exported = Object.values(core).filter(
    (value) => typeof value === 'function' && value.prototype instanceof core.TendrilError,
  );
  assert.deepEqual(new Set(exported), new Set(table.map(([Class]) => Class)));
});

test('bad arguments get a typed error', () => {
  const bad: (() => unknown)[] = [
    () => core.spawn(5 as never),
    () => new core.Greenlet(null as never),
    () => core.spawnLater(-1, () => {}),
    () => core.blocking(5 as never),
    () => new core.Timeout('x' as never),
    () => new core.Condition({} as never),
    () => new core.Group().add({} as never),
    () => new core.Event().wait({ timeout: -1 }),
  ];
  for (const misuse of bad) assert.throws(misuse, { code: 'ERR_INVALID_ARG' });
});
