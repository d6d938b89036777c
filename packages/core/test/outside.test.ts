/** Blocking calls where no greenlet can park: each names the call that was made. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Duplex } from 'node:stream';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  AsyncResult,
  BoundedSemaphore,
  blocking,
  Channel,
  Condition,
  Event,
  Greenlet,
  Group,
  idle,
  iwait,
  joinall,
  LifoQueue,
  Pool,
  PriorityQueue,
  park,
  Queue,
  ResourcePool,
  RLock,
  run,
  Semaphore,
  SimpleQueue,
  sleep,
  spawn,
  Timeout,
  wait,
  withTimeout,
} from '@tendril/core';
import {
  AresResolver,
  getaddrinfo,
  gethostbyaddr,
  gethostbyname,
  ThreadResolver,
} from '@tendril/core/resolver';
import { select } from '@tendril/core/select';
import { StreamServer } from '@tendril/core/server';
import { waitSignal } from '@tendril/core/signal';
import { connect, DatagramSocket, listen, wrap } from '@tendril/core/socket';
import { check, run as runChild } from '@tendril/core/subprocess';
import { ThreadPool } from '@tendril/core/threadpool';
import { leaveNothing } from './helpers.js';

const idleStream = () => new Duplex({ read() {}, write() {} });
const resolver = new AresResolver({ servers: ['127.0.0.1:1'] });
const threads = new ThreadPool(1);
const datagrams = new DatagramSocket();
after(() => {
  resolver.close();
  threads.kill();
  datagrams.close();
});
leaveNothing();

function cases(): [string, () => unknown][] {
  const socket = wrap(idleStream());
  const full = new Queue<number>(1);
  full.put(1);
  const semaphore = new Semaphore(0);
  const bounded = new BoundedSemaphore(1);
  bounded.acquire();
  const pool = new Pool(1);
  const parked = new Greenlet(() => {});
  const group = new Group();
  group.add(parked);
  pool.add(parked);
  const never = new Promise<never>(() => {});
  const tasks = new Queue<number>();
  tasks.put(1);
  return [
    ['sleep()', () => sleep(1)],
    ['sleep()', () => sleep()],
    ['idle()', () => idle()],
    ['wait()', () => wait(never)],
    ['wait()', () => wait(() => never)],
    ['park()', () => park(() => {})],
    ['joinall()', () => joinall([new Event()])],
    ['iwait()', () => [...iwait([new Event()])]],
    ['Greenlet.join()', () => parked.join()],
    ['Greenlet.get()', () => parked.get()],
    ['Timeout.start()', () => new Timeout(1).start()],
    ['Timeout.startNew()', () => Timeout.startNew(1)],
    ['withTimeout()', () => withTimeout(1, () => {})],
    ['Event.wait()', () => new Event().wait()],
    ['AsyncResult.get()', () => new AsyncResult().get()],
    ['AsyncResult.wait()', () => new AsyncResult().wait()],
    ['Semaphore.acquire()', () => semaphore.acquire()],
    ['BoundedSemaphore.acquire()', () => bounded.acquire()],
    ['RLock.acquire()', () => new RLock().acquire()],
    ['Condition.acquire()', () => new Condition().acquire()],
    ['Queue.get()', () => new Queue().get()],
    ['Queue.put()', () => full.put(2)],
    ['Queue.join()', () => tasks.join()],
    ['SimpleQueue.get()', () => new SimpleQueue().get()],
    ['LifoQueue.get()', () => new LifoQueue().get()],
    ['PriorityQueue.get()', () => new PriorityQueue().get()],
    ['Channel.get()', () => new Channel().get()],
    ['Channel.put()', () => new Channel().put(1)],
    ['Queue.get()', () => new Queue()[Symbol.iterator]().next()],
    ['Group.join()', () => group.join()],
    ['Group.apply()', () => new Group().apply(() => 1)],
    ['Group.map()', () => new Group().map((n) => n, [1])],
    ['Pool.spawn()', () => pool.spawn(() => {})],
    ['Pool.map()', () => new Pool(1).map((n) => n, [1])],
    ['Pool.join()', () => pool.join()],
    [
      'ResourcePool.acquire()',
      () => new ResourcePool({ create: () => 1, max: 1 } as never).acquire(),
    ],
    ['Socket.recv()', () => socket.recv()],
    ['Socket.recvExactly()', () => socket.recvExactly(1)],
    ['Socket.readLine()', () => socket.readLine()],
    ['Socket.readUntil()', () => socket.readUntil('x')],
    ['Socket.sendAll()', () => socket.sendAll('x')],
    ['connect()', () => connect({ host: '127.0.0.1', port: 1 })],
    ['listen()', () => listen({ host: '127.0.0.1', port: 0 })],
    ['DatagramSocket.recvFrom()', () => datagrams.recvFrom()],
    ['select()', () => select([socket], [])],
    ['run()', () => runChild('true')],
    ['check()', () => check('true')],
    ['getaddrinfo()', () => getaddrinfo('x.invalid', 0)],
    ['gethostbyname()', () => gethostbyname('x.invalid')],
    ['gethostbyaddr()', () => gethostbyaddr('127.0.0.1')],
    ['AresResolver.getaddrinfo()', () => resolver.getaddrinfo('x.invalid', 0)],
    ['ThreadResolver.getaddrinfo()', () => new ThreadResolver().getaddrinfo('x.invalid', 0)],
    ['ThreadPool.apply()', () => threads.apply(() => 1, [])],
    ['waitSignal()', () => waitSignal('SIGUSR2')],
    [
      'StreamServer.start()',
      () => new StreamServer({ host: '127.0.0.1', port: 0 }, () => {}).start(),
    ],
  ];
}

describe('outside greenlets', () => {
  for (const [call, fn] of cases())
    test(call, () => {
      const message = outsideMessage(call);
      assert.throws(fn, { code: 'ERR_NOT_IN_GREENLET', message });
    });

  test('after an await, in a greenlet that was one until then', async () => {
    const one = await run(() =>
      spawn(async () => {
        await null;
        new Queue().get();
      }),
    );
    await assert.rejects(one.toPromise(), { message: outsideMessage('Queue.get()') });
  });

  test('methods of a client that is made blocking, by their names', async () => {
    const client = blocking({ query: async () => 1 });
    assert.throws(() => client.query(), { message: outsideMessage('query()') });
    const fetch = blocking(Object.assign(async function fetch() {}, { post: async () => 1 }));
    assert.throws(() => fetch(), { message: outsideMessage('fetch()') });
    assert.throws(() => fetch.post(), { message: outsideMessage('post()') });
    assert.throws(() => [...blocking((async function* () {})())], { code: 'ERR_NOT_IN_GREENLET' });
  });

  test('a trace that is not there, or not text, does not matter', () => {
    const { stackTraceLimit, prepareStackTrace } = Error;
    try {
      Error.stackTraceLimit = 0;
      assert.throws(() => new Queue().get(), { message: outsideMessage('Queue.get()') });
      assert.equal(Error.stackTraceLimit, 0);
      Error.prepareStackTrace = () => [];
      assert.throws(() => new Queue().get(), { code: 'ERR_NOT_IN_GREENLET' });
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
      Error.prepareStackTrace = prepareStackTrace;
    }
  });
});

function outsideMessage(call: string): RegExp {
  const name = call.replace(/[()]/g, '\\$&');
  return new RegExp(`^${name} was made outside a greenlet.*await.*wait\\(promise\\)`);
}

const program = `
  import { pathToFileURL } from 'node:url';
  const load = (name) => import(pathToFileURL(process.argv[2] + '/' + name + '/node_modules/@tendril/core/dist/index.js').href);
  const said = [];
  process.on('warning', (warning) => said.push(warning));
  const a = await load('a');
  const b = await load('b');
  await new Promise(setImmediate);
  const out = { said: said.map(({ code, message }) => ({ code, message })) };
  await a.run(() => {
    try { b.sleep(1); } catch (error) { out.message = error.message; out.code = error.code; }
    const killed = a.spawn(() => a.sleep(1000));
    a.sleep(0);
    killed.kill();
    out.exits = [a.isExit(killed.value), b.isExit(killed.value), b.isExit(new Error('no'))];
    try { new b.Group().add(killed); } catch (error) { out.group = error.message; }
  });
  console.log(JSON.stringify(out));
`;

describe('two copies of core in one process', () => {
  test('the second says so, their exits are known to each other, and a call of one in a greenlet of the other says what is wrong', async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'tendril-copies-'));
    try {
      const core = fileURLToPath(new URL('../', import.meta.url));
      for (const name of ['a', 'b']) {
        const scope = path.join(dir, name, 'node_modules/@tendril');
        mkdirSync(scope, { recursive: true });
        mkdirSync(path.join(scope, 'core'));
        for (const part of ['dist', 'package.json'])
          cpSync(path.join(core, part), path.join(scope, 'core', part), { recursive: true });
        symlinkSync(path.join(core, '../fiber'), path.join(scope, 'fiber'));
        symlinkSync(
          path.join(core, '../../node_modules/piscina'),
          path.join(dir, name, 'node_modules/piscina'),
        );
      }
      const main = path.join(dir, 'main.mjs');
      writeFileSync(main, program);
      const { stdout } = await promisify(execFile)(process.execPath, [main, dir]);
      const out = JSON.parse(stdout);
      assert.equal(out.said.length, 1);
      assert.equal(out.said[0].code, 'TENDRIL_SECOND_COPY');
      for (const name of ['a', 'b']) {
        const place = path.join(dir, name, 'node_modules/@tendril/core');
        assert.ok(out.said[0].message.includes(place), out.said[0].message);
        assert.ok(out.message.includes(place), out.message);
      }
      assert.equal(out.code, 'ERR_NOT_IN_GREENLET');
      assert.match(out.message, /^sleep\(\) of .* another copy/);
      assert.deepEqual(out.exits, [true, true, false]);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
