import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, sleep, spawn } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import { Inbox, type Source } from '#src/inbox.js';

/** What has come in, and is read as the driver reads it: one receive at a time. */
class Incoming implements Source<number> {
  readonly #messages: number[] = [];
  #take: ((message: number) => void) | undefined = undefined;
  #waits = true;

  add(...messages: number[]): void {
    this.#messages.push(...messages);
    const take = this.#take;
    if (!take) return;
    this.#take = undefined;
    take(this.#messages.shift() as number);
  }

  receive(): Promise<number> {
    assert.equal(this.#take, undefined, 'one receive at a time');
    const message = this.#messages.shift();
    if (message !== undefined) return Promise.resolve(message);
    if (!this.#waits) return Promise.reject(Object.assign(new Error('empty'), { code: 'EAGAIN' }));
    return new Promise((resolve) => {
      this.#take = resolve;
    });
  }

  /** A receive waits. */
  get asked(): boolean {
    return this.#take !== undefined;
  }
  get left(): number {
    return this.#messages.length;
  }
  get readable(): boolean {
    return this.left > 0;
  }
  ahead(): number {
    return 128;
  }
  setWaiting(waits: boolean): void {
    this.#waits = waits;
  }
}

const receive = (inbox: Inbox<number>) => inbox.take() ?? inbox.wait();

test('those that come between a message and its greenlet are served too, and in order', async () => {
  const source = new Incoming();
  const inbox = new Inbox(source);
  const first = spawn(() => receive(inbox));
  await run(() => sleep(0));
  // Nothing runs before all three are read: the others then run before the first, which they found
  // woken, with more there than that one takes.
  const others = [2, 3, 4].map(() => spawn(() => receive(inbox)));
  source.add(1, 2, 3);
  await run(() => {
    const served = [first, ...others.slice(0, 2)];
    assert.deepEqual(
      served.map((each) => each.get()),
      [1, 2, 3],
    );
    assert.ok(source.asked, 'somebody waits, and nothing is read');
    source.add(4);
    assert.equal(others[2]?.get(), 4);
  });
  await checkLeaks();
});

test('a greenlet that was woken has its turn before everything is read, and none is left behind', async () => {
  await run(() => {
    const source = new Incoming();
    const inbox = new Inbox(source);
    const all = Array.from({ length: 100 }, (_, n) => n);
    const reader = spawn(() => {
      const first = receive(inbox);
      const left = source.left;
      return { left, got: [first, ...all.slice(1).map(() => receive(inbox))] };
    });
    sleep(0);
    source.add(...all);
    const { left, got } = reader.get();
    assert.ok(left > 0, 'all of it was read before');
    assert.deepEqual(got, all);
  });
  await checkLeaks();
});
