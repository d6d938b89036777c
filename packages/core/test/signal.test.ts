import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { InvalidArgumentError, sleep, spawn, Timeout } from '@tendril/core';
import { onSignal, signals, waitSignal } from '@tendril/core/signal';
import { leaveNothing } from './helpers.js';
import { inRealTime, until } from './io-helpers.js';

leaveNothing();

const send = (name: NodeJS.Signals) => process.kill(process.pid, name);

test(
  'waitSignal parks until one comes',
  inRealTime(() => {
    const waiting = spawn(() => waitSignal(['SIGCONT', 'SIGHUP']));
    sleep(0);
    send('SIGHUP');
    assert.equal(waiting.get(), 'SIGHUP');
    assert.throws(() => waitSignal('SIGHUP', { timeout: 5 }), Timeout);
    const killed = spawn(() => waitSignal('SIGHUP'));
    sleep(0);
    killed.kill();
    assert.equal(process.listenerCount('SIGHUP'), 0);
    assert.throws(() => waitSignal('SIGKILL'), InvalidArgumentError);
    assert.throws(() => waitSignal('SIGNOT' as never), InvalidArgumentError);
  }),
);

test(
  'signals have numbers, too',
  inRealTime(() => {
    const { SIGHUP, SIGCONT, SIGABRT } = constants.signals;
    const waiting = spawn(() => waitSignal(SIGHUP));
    const either = spawn(() => waitSignal(['SIGHUP', SIGHUP, SIGCONT]));
    sleep(0);
    send('SIGHUP');
    assert.equal(waiting.get(), 'SIGHUP');
    assert.equal(either.get(), 'SIGHUP');
    const got: string[] = [];
    {
      using _handler = onSignal(SIGCONT, (name) => got.push(name));
      send('SIGCONT');
      until(() => got.length === 1);
    }
    const looping = spawn(() => {
      for (const name of signals([SIGCONT])) return name;
      return undefined;
    });
    sleep(0);
    send('SIGCONT');
    assert.equal(looping.get(), 'SIGCONT');
    const aborting = spawn(() => waitSignal(SIGABRT));
    sleep(0);
    assert.equal(process.listenerCount('SIGABRT'), 1, 'the usual of its two names');
    aborting.kill();
    for (const none of [
      0,
      -1,
      9,
      19,
      64,
      999,
      1.5,
      Number.NaN,
      '15',
      '',
      null,
      undefined,
      {},
      [[15]],
      ['SIGHUP', 9],
    ])
      for (const use of [
        waitSignal,
        (all: never) => onSignal(all, () => {}),
        (all: never) => signals(all).next(),
      ])
        assert.throws(() => use(none as never), InvalidArgumentError, String(none));
    assert.equal(process.listenerCount('SIGHUP'), 0);
  }),
);

test(
  'onSignal runs a handler in a greenlet until disposed of',
  inRealTime(() => {
    const got: string[] = [];
    {
      using _handler = onSignal('SIGCONT', (name) => {
        sleep(1); // parks: it is a greenlet
        got.push(name);
      });
      send('SIGCONT');
      while (got.length < 1) sleep(1);
    }
    assert.deepEqual(got, ['SIGCONT']);
    assert.equal(process.listenerCount('SIGCONT'), 0);
    assert.throws(() => onSignal('SIGHUP', 7 as never), InvalidArgumentError);
  }),
);

test(
  'signals() loses none while the body runs',
  inRealTime(() => {
    const got: string[] = [];
    const looping = spawn(() => {
      for (const name of signals(['SIGCONT', 'SIGHUP'])) {
        got.push(name);
        sleep(5);
        if (got.length === 2) break;
      }
    });
    sleep(0);
    send('SIGCONT');
    send('SIGHUP');
    looping.get();
    assert.deepEqual(got.sort(), ['SIGCONT', 'SIGHUP']);
    assert.equal(process.listenerCount('SIGHUP'), 0);
  }),
);
