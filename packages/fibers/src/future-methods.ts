/** fibers/future: results that a fiber can wait for. Messages and order of calls are node-fibers'. */
import './fiber-future.js';
import { Future } from './future-class.js';
import type { Future as FutureInstance } from './future-types.js';
import { joinStack } from './joined-stack.js';
import { throwToLoop } from './run.js';
import { waitForAll } from './wait-futures.js';
import { wrap } from './wrap.js';

type Callback = (error?: unknown, value?: unknown) => void;
type Waiting = [callback: Callback | FutureInstance, onValue?: (value: unknown) => void];

interface Fields {
  resolved?: boolean;
  value?: unknown;
  error?: unknown;
  callbacks?: Waiting[];
}
type Self = FutureInstance & Fields;

function notify(future: Self, [first, onValue]: Waiting): void {
  const { error, value } = future;
  if (!onValue) (first as Callback)(error, value);
  else if (error) (first as FutureInstance).throw(error);
  else onValue(value);
}

function settle(future: Self): void {
  future.resolved = true;
  const { callbacks = [] } = future;
  delete future.callbacks;
  for (const waiting of callbacks) {
    try {
      notify(future, waiting);
    } catch (error) {
      throwToLoop(error);
    }
  }
}

function checkUnresolved(future: Self): void {
  if (future.resolved) throw new Error('Future resolved more than once');
}

function get(this: Self): unknown {
  if (!this.resolved) throw new Error('Future must resolve before value is ready');
  if (!this.error) return this.value;
  if (typeof this.error === 'object') joinStack(this.error, get);
  throw this.error;
}

const methods = {
  get,

  wait(this: Self): unknown {
    if (!this.isResolved()) waitForAll([this]);
    return this.get();
  },

  return(this: Self, value?: unknown): void {
    checkUnresolved(this);
    this.value = value;
    settle(this);
  },

  throw(this: Self, error: unknown): void {
    checkUnresolved(this);
    if (!error) throw new Error('Must throw non-empty error');
    this.error = error;
    settle(this);
  },

  detach(this: Self): void {
    this.resolve((error) => {
      if (error) throw error;
    });
  },

  isResolved(this: Self): boolean {
    return this.resolved === true;
  },

  resolver(this: Self): Callback {
    return (error, value) => {
      if (error) this.throw(error);
      else this.return(value);
    };
  },

  resolve(this: Self, ...waiting: Waiting): Self {
    if (this.resolved) notify(this, waiting);
    else {
      this.callbacks ??= [];
      this.callbacks.push(waiting);
    }
    return this;
  },

  resolveSuccess(this: Self, callback: (value: unknown) => void): Self {
    return this.resolve((error, value) => {
      if (!error) callback(value);
    });
  },

  proxy(this: Self, future: FutureInstance): void {
    this.resolve((error, value) => {
      if (error) future.throw(error);
      else future.return(value);
    });
  },

  proxyErrors(this: Self, futures: FutureInstance | FutureInstance[]): Self {
    return this.resolve((error) => {
      if (error) for (const future of [futures].flat()) future.throw(error);
    });
  },

  promise(this: Self): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.resolve((error, value) => {
        if (error) reject(error);
        else resolve(value);
      });
    });
  },
};

function task(...fns: ((...args: never[]) => unknown)[]): FutureInstance {
  const [only] = fns;
  if (only && fns.length === 1) return only.future()();
  const all = new Future<unknown[]>();
  const values: unknown[] = new Array(fns.length);
  let pending = fns.length;
  let failure: unknown;
  fns.forEach((fn, index) => {
    fn.future()().resolve((error: unknown, value: unknown) => {
      if (error) failure = error;
      values[index] = value;
      if (--pending > 0) return;
      if (failure) all.throw(failure);
      else all.return(values);
    });
  });
  return all;
}

function fromPromise<R>(promise: PromiseLike<R>): FutureInstance<R> {
  const future = new Future<R>();
  // Of strange thenables a promise of the language makes one that keeps the rules: it settles once.
  Promise.resolve(promise).then(
    (value) => future.return(value),
    (reason) => future.throw(reason),
  );
  return future;
}

Object.assign(Future.prototype, methods);
Object.assign(Future, {
  fromPromise,
  task,
  wait: (...futures: unknown[]) => waitForAll(futures),
  wrap,
});

export { Future };
