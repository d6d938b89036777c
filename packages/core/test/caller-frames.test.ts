/** An error that ends a park shows the greenlet that parked. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, test } from 'node:test';
import { AsyncResult, joinall, park, Queue, run, sleep, spawn, wait } from '@tendril/core';
import { AresResolver } from '@tendril/core/resolver';
import { connect, listen } from '@tendril/core/socket';
import { run as runChild } from '@tendril/core/subprocess';
import { ThreadPool } from '@tendril/core/threadpool';
import { leaveNothing } from './helpers.js';

leaveNothing();

function failure(fn: () => unknown): Error {
  let error: unknown;
  assert.throws(fn, (reason) => {
    error = reason;
    return true;
  });
  return error as Error;
}

function frames(error: Error): string[] {
  return (error.stack ?? '').split(/\n {4}at /).slice(1);
}

/** The frame that every case is called from. */
function asTheCaller(fn: () => unknown): unknown {
  const result = fn();
  void 0; // not a tail call
  return result;
}

const missing = '/nonexistent/file';

describe('the stack of the greenlet that called', () => {
  const cases: [string, () => unknown][] = [
    [
      'connect, refused',
      () => {
        const listener = listen({ host: '127.0.0.1', port: 0 });
        const { port } = listener.address as { port: number };
        listener.close();
        connect({ host: '127.0.0.1', port });
      },
    ],
    ['connect, no such path', () => connect({ path: missing })],
    ['listen', () => listen({ path: missing })],
    [
      'sendAll, after the peer has gone',
      () => {
        const listener = listen({ host: '127.0.0.1', port: 0 });
        const { port } = listener.address as { port: number };
        const socket = connect({ host: '127.0.0.1', port });
        const peer = listener.accept();
        try {
          socket.close();
          for (;;) peer.sendAll(Buffer.alloc(100_000));
        } finally {
          peer.close();
          listener.close();
        }
      },
    ],
    [
      'a name, by the resolver',
      () => {
        const resolver = new AresResolver({ servers: ['127.0.0.1:1'] });
        try {
          resolver.getaddrinfo('name.invalid', 0);
        } finally {
          resolver.close();
        }
      },
    ],
    ['a child that cannot be started', () => runChild(missing)],
    ['a child in a folder that is not there', () => runChild('true', [], { cwd: missing })],
    ['a callback of the file system', () => park((resume) => fs.stat(missing, resume.error))],
    ['wait(), a promise of Node', () => wait(fs.promises.readFile(missing))],
    [
      'wait(), an async function after its await',
      () =>
        wait(
          (async () => {
            await null;
            throw new Error('late');
          })(),
        ),
    ],
    [
      'wait(), an async function at once',
      () =>
        wait(
          (async () => {
            throw new Error('early');
          })(),
        ),
    ],
    [
      'a thread',
      () => {
        const pool = new ThreadPool(1);
        try {
          pool.apply(() => {
            throw new Error('in the thread');
          }, []);
        } finally {
          pool.kill();
        }
      },
    ],
    [
      'a queue that another greenlet shuts down',
      () => {
        const queue = new Queue();
        spawn(() => queue.shutdown({ immediate: true }));
        queue.get();
      },
    ],
  ];
  for (const [title, fn] of cases)
    test(title, () =>
      run(() => {
        const error = failure(() => asTheCaller(fn));
        const lines = frames(error);
        const at = lines.findIndex((line) => line.startsWith('asTheCaller '));
        assert.ok(at >= 0, error.stack);
        // One that was made before the park shows the whole way there.
        const here = lines.some((line) => line.includes('/core/dist/hub/'));
        assert.ok(
          here || lines.slice(1, at).every((line) => !line.includes('(node:')),
          `Node's insides take more than a line\n${error.stack}`,
        );
        assert.equal(
          lines.filter((line) => line.startsWith('asTheCaller ')).length,
          1,
          `told once\n${error.stack}`,
        );
        assert.ok(
          error.stack?.startsWith(`${error.name}: `) || error.stack?.includes(error.message),
        );
      }),
    );

  test('one line where it was made, then the caller', () =>
    run(() => {
      const error = failure(() => asTheCaller(() => wait(fs.promises.readFile(missing))));
      const lines = frames(error);
      // From Node 26 on the promises of fs have no line of their own.
      const own = lines[0]?.includes('node:') ? 1 : 0;
      assert.match(lines[own] as string, /caller-frames\.test/);
      assert.match(lines[own + 1] as string, /asTheCaller/);
    }));
});

describe('errors that are left alone', () => {
  const rejected = <E>(error: E) =>
    wait(
      new Promise<never>((_resolve, reject) => {
        setImmediate(reject, error);
      }),
    );

  test('no errors, frozen ones, ones whose stack cannot be read or set', () =>
    run(() => {
      for (const reason of [undefined, null, 'text', 7, { stack: 'mine' }])
        assert.equal(failure(() => rejected(reason)) as unknown, reason);
      const frozen = Object.freeze(new Error('frozen'));
      const before = frozen.stack;
      assert.equal(
        failure(() => rejected(frozen)),
        frozen,
      );
      assert.equal(frozen.stack, before);
      const odd = Object.defineProperty(new Error('odd'), 'stack', {
        get() {
          throw new Error('not for you');
        },
      });
      assert.equal(
        failure(() => rejected(odd)),
        odd,
      );
      const fixed = Object.defineProperty(new Error('fixed'), 'stack', {
        value: 'fixed',
        writable: false,
      });
      failure(() => rejected(fixed));
      assert.equal(fixed.stack, 'fixed');
    }));

  test('an error that many get tells of its first caller, and stays the same error', () =>
    run(() => {
      const shared = new Error('shared');
      const promise = new Promise<never>((_resolve, reject) => {
        setImmediate(reject, shared);
      });
      const first = () => wait(promise);
      const second = () => wait(promise);
      const both = [spawn(() => failure(() => first())), spawn(() => failure(() => second()))];
      assert.deepEqual(
        joinall(both).map((one) => one.value === shared),
        [true, true],
      );
      const { stack } = shared;
      assert.match(String(stack), /at first /);
      assert.doesNotMatch(String(stack), /at second /);
      failure(() => rejected(shared));
      assert.equal(shared.stack, stack);
    }));

  test('get() throws the very error, with the trace of the greenlet that failed', () =>
    run(() => {
      const error = new Error('theirs');
      const { stack } = error;
      const one = spawn(() => {
        sleep(0);
        throw error;
      });
      assert.equal(
        failure(() => one.get()),
        error,
      );
      const result = new AsyncResult();
      spawn(() => result.setException(error));
      assert.equal(
        failure(() => result.get()),
        error,
      );
      assert.equal(error.stack, stack);
    }));

  test("the settings of traces are the program's", () =>
    run(() => {
      const { stackTraceLimit, prepareStackTrace } = Error;
      try {
        Error.stackTraceLimit = 0;
        assert.equal(frames(failure(() => rejected(new Error('none')))).length, 0);
        Error.stackTraceLimit = 2;
        const short = failure(() =>
          asTheCaller(() => park((resume) => fs.stat(missing, resume.error))),
        );
        assert.equal(frames(short).length, 2);
        assert.equal(Error.stackTraceLimit, 2);
        Error.stackTraceLimit = stackTraceLimit;
        Error.prepareStackTrace = (_error, sites) => sites;
        const sites = failure(() => rejected(new Error('sites'))).stack as unknown;
        assert.ok(Array.isArray(sites));
      } finally {
        Error.stackTraceLimit = stackTraceLimit;
        Error.prepareStackTrace = prepareStackTrace;
      }
    }));

  test('a message with lines like those of a trace stays whole', () =>
    run(() => {
      const message = 'it says:\n    at noon\n    at night';
      const error = failure(() => asTheCaller(() => rejected(new Error(message))));
      assert.ok(error.stack?.includes(message));
      assert.match(String(error.stack), /asTheCaller/);
    }));
});
