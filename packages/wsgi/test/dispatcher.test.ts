/** Who gets a connection, and what becomes of one that does not arrive. */
import assert from 'node:assert/strict';
import { Socket as NetSocket, type Socket } from 'node:net';
import { mock, test } from 'node:test';
import { type Accepted, Dispatcher, type Taker } from '#src/cli/dispatcher.js';

/** A worker that answers when the test says so. */
class Worker implements Taker {
  readonly given: Accepted[] = [];
  readonly asked: number[] = [];
  last = 0;

  give(connection: Accepted, number: number): void {
    this.given.push(connection);
    this.last = number;
  }
  ask(number: number): void {
    this.asked.push(number);
  }
}

const connection = (): Accepted => ({ socket: new NetSocket() as Socket, index: 0 });

const withClock = (name: string, run: (advance: (ms: number) => void) => void) =>
  test(name, () => {
    mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
    try {
      run((ms) => mock.timers.tick(ms));
    } finally {
      mock.timers.reset();
    }
  });

withClock('a worker that takes its time is asked once and keeps its connection', (advance) => {
  const dispatcher = new Dispatcher();
  const [busy, other] = [new Worker(), new Worker()];
  dispatcher.add(busy);
  const first = connection();
  dispatcher.offer(first);
  dispatcher.add(other);
  advance(150);
  assert.deepEqual(busy.asked, []);
  advance(60_000);
  assert.deepEqual(busy.asked, [busy.last]);
  assert.ok(dispatcher.unanswered(busy) > 59_000);
  assert.equal(other.given.length, 0);
  dispatcher.took(busy, busy.last);
  assert.ok(first.socket.destroyed);
  assert.equal(dispatcher.unanswered(busy), 0);
  assert.ok(dispatcher.idle);
});

withClock('what one has missed goes to another before all that wait', (advance) => {
  const dispatcher = new Dispatcher();
  const [poor, other] = [new Worker(), new Worker()];
  dispatcher.add(poor);
  const [first, second] = [connection(), connection()];
  dispatcher.offer(first);
  dispatcher.offer(second);
  assert.equal(dispatcher.missed(poor, poor.last), 1);
  assert.ok(!first.socket.destroyed);
  dispatcher.add(other);
  assert.deepEqual(other.given, [first]);
  dispatcher.took(other, other.last);
  assert.deepEqual(other.given, [first, second]);
  dispatcher.took(other, other.last);
  advance(50);
  dispatcher.offer(connection());
  dispatcher.offer(connection());
  assert.equal(poor.given.length, 2);
});

withClock('one that misses again and again is tried more rarely, till it takes one', (advance) => {
  const dispatcher = new Dispatcher();
  const poor = new Worker();
  dispatcher.add(poor);
  const only = connection();
  dispatcher.offer(only);
  for (const rest of [50, 100, 200, 400, 800, 1000, 1000]) {
    const tries = poor.given.length;
    dispatcher.missed(poor, poor.last);
    advance(rest - 1);
    assert.equal(poor.given.length, tries, `rests for ${rest} ms`);
    advance(1);
    assert.equal(poor.given.length, tries + 1);
  }
  dispatcher.took(poor, poor.last);
  dispatcher.offer(connection());
  assert.equal(dispatcher.missed(poor, poor.last), 1);
});

withClock('answers about other connections than the last change nothing', () => {
  const dispatcher = new Dispatcher();
  const worker = new Worker();
  dispatcher.add(worker);
  dispatcher.offer(connection());
  const old = worker.last;
  dispatcher.took(worker, old);
  const later = connection();
  dispatcher.offer(later);
  assert.equal(dispatcher.missed(worker, old), 0);
  dispatcher.took(worker, old);
  assert.ok(!later.socket.destroyed);
  assert.ok(!dispatcher.idle);
});

withClock('a worker that goes while it is passed over is not tried again', (advance) => {
  const dispatcher = new Dispatcher();
  const [poor, retired] = [new Worker(), new Worker()];
  for (const worker of [poor, retired]) {
    dispatcher.add(worker);
    dispatcher.offer(connection());
  }
  dispatcher.missed(poor, poor.last);
  dispatcher.remove(poor);
  // This one was told to retire with a connection on its way to it.
  dispatcher.remove(retired);
  dispatcher.missed(retired, retired.last);
  advance(10_000);
  assert.deepEqual([poor.given.length, retired.given.length], [1, 1]);
  const next = new Worker();
  dispatcher.add(next);
  assert.equal(next.given[0], retired.given[0]);
});

withClock('a connection that has ended is not handed over again', () => {
  const dispatcher = new Dispatcher();
  const worker = new Worker();
  dispatcher.add(worker);
  const ended = connection();
  dispatcher.offer(ended);
  ended.socket.destroy();
  dispatcher.missed(worker, worker.last);
  assert.ok(dispatcher.idle);
});

withClock('half of the descriptors may be connections that wait', () => {
  const dispatcher = new Dispatcher(6);
  const all = Array.from({ length: 5 }, connection);
  for (const each of all) dispatcher.offer(each);
  assert.deepEqual(
    all.map(({ socket }) => socket.destroyed),
    [false, false, false, true, true],
  );
  dispatcher.clear();
});
