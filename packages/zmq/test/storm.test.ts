import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Greenlet, isExit, killall, run, sleep, spawn, Timeout } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import { chances, dealerAndRouter, pipeline, until } from './helpers.js';

const rounds = process.env.TENDRIL_TEST_LONG ? 3000 : process.env.TENDRIL_TEST_SHORT ? 100 : 500;
const senders = 8;
const receivers = 6;
const chance = chances(rounds);

after(() => checkLeaks());

/** Numbers of a sender whose send() returned, and those that may have gone out or not. */
interface Ledger {
  sent: number[];
  open: number[];
}

/** Sends its numbers for ever; a timeout now and then, and a kill from outside. */
function sending(send: (text: string) => void, name: number, ledger: Ledger): void {
  for (;;) {
    const n = ledger.sent.length + ledger.open.length;
    ledger.open.push(n);
    try {
      using _limit = Timeout.startNew(1 + chance() * 10);
      send(`${name}:${n}`);
      ledger.sent.push(n);
      ledger.open.pop();
    } catch (error) {
      if (isExit(error)) throw error;
    }
    if (chance() < 0.3) sleep(1);
  }
}

function receiving(receive: () => string, got: string[]): void {
  for (;;) {
    const limit = new Timeout(1 + chance() * 6);
    try {
      using _started = limit.start();
      got.push(receive());
    } catch (error) {
      if (error !== limit) throw error;
    }
    if (chance() < 0.05) sleep(1);
  }
}

test(`${rounds} rounds of kills and timeouts: nothing is lost, doubled or out of order`, () =>
  run(() => {
    using sockets = pipeline({ sendHighWaterMark: 10 }, { receiveHighWaterMark: 10 });
    const { from, to } = sockets;
    const padding = Buffer.alloc(2000);
    const ledgers: Ledger[] = Array.from({ length: senders }, () => ({ sent: [], open: [] }));
    const got: string[] = [];
    const begin: (() => Greenlet)[] = [
      ...ledgers.map(
        (ledger, name) => () =>
          spawn(sending, (text: string) => from.send([text, padding]), name, ledger),
      ),
      ...Array.from(
        { length: receivers },
        () => () => spawn(receiving, () => `${to.receive()[0]}`, got),
      ),
    ];
    const running = begin.map((start) => start());
    for (let round = 0; round < rounds; round++) {
      sleep(chance() * 4);
      const at = Math.floor(chance() * running.length);
      running[at]?.kill();
      running[at] = (begin[at] as () => Greenlet)();
    }
    killall(running);
    for (const each of running) assert.ok(isExit(each.value), String(each.exception));
    // It goes the same way, behind all others.
    const last = spawn(() => from.send('end'));
    for (let name = `${to.receive()[0]}`; name !== 'end'; name = `${to.receive()[0]}`)
      got.push(name);
    last.get();
    assert.equal(new Set(got).size, got.length, 'none twice');
    for (const [name, { sent, open }] of ledgers.entries()) {
      const mine = got
        .filter((each) => each.startsWith(`${name}:`))
        .map((each) => Number(each.split(':')[1]));
      assert.deepEqual(
        mine,
        mine.toSorted((a, b) => a - b),
        'in order',
      );
      const came = new Set(mine);
      assert.deepEqual(
        sent.filter((n) => !came.has(n)),
        [],
        'nothing is lost',
      );
      const known = new Set([...sent, ...open]);
      assert.ok(mine.every((n) => known.has(n)));
    }
    assert.ok(got.length > rounds, `${got.length} messages`);
  }));

test('askers that are killed and timed out: the others get their own answers', () =>
  run(() => {
    using sockets = dealerAndRouter();
    const { dealer, router } = sockets;
    const server = spawn(() => {
      for (const [id, ...rest] of router) {
        if (chance() < 0.05) sleep(1);
        router.send([id as Buffer, ...rest]);
      }
    });
    const waiting = new Map<string, () => void>();
    const reader = spawn(() => {
      for (const [id] of dealer) {
        waiting.get(`${id}`)?.();
        waiting.delete(`${id}`);
      }
    });
    let asked = 0;
    let answered = 0;
    const asking = () => {
      for (;;) {
        using limit = Timeout.startNew(1 + chance() * 60);
        const id = `${asked++}`;
        try {
          let done = false;
          dealer.send(id);
          waiting.set(id, () => {
            done = true;
          });
          until(() => done);
          answered++;
        } catch (error) {
          if (error !== limit) throw error;
        }
      }
    };
    const running = Array.from({ length: 20 }, () => spawn(asking));
    for (let round = 0; round < rounds / 5; round++) {
      sleep(chance() * 3);
      const at = Math.floor(chance() * running.length);
      running[at]?.kill();
      running[at] = spawn(asking);
    }
    killall(running);
    for (const each of running) assert.ok(isExit(each.value), String(each.exception));
    until(() => waiting.size === 0);
    assert.ok(answered > rounds / 25, `${answered} of ${asked}`);
    killall([server, reader]);
  }));
