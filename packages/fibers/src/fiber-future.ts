/** fn.future(): a call that runs in a fiber of its own, as a future. */
import { Fiber } from './fiber.js';
import { Future } from './future-class.js';

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/** Starts on the next tick, unless a fiber that waits for it runs it before, on its own stack. */
export class FiberFuture extends (Future as { new (): Future }) {
  started = false;
  readonly fn: AnyFunction;
  readonly context: unknown;
  readonly args: unknown[];

  constructor(fn: AnyFunction, context: unknown, args: unknown[]) {
    super();
    this.fn = fn;
    this.context = context;
    this.args = args;
    process.nextTick(() => {
      if (!this.started) Fiber(() => this.start()).run();
    });
  }

  start(): void {
    this.started = true;
    // What this.return() throws is its own fault, and the future has failed by it.
    try {
      this.return(this.fn.apply(this.context, this.args));
    } catch (error) {
      this.throw(error);
    }
  }
}

function future(this: AnyFunction, detach?: boolean): AnyFunction {
  const fn = this;
  function start(this: unknown, ...args: unknown[]): FiberFuture {
    const result = new FiberFuture(fn, this, args);
    if (detach) result.detach();
    return result;
  }
  start.toString = () => `<<Future ${fn}.future()>>`;
  return start;
}

Object.defineProperty(Function.prototype, 'future', {
  configurable: true,
  writable: true,
  enumerable: false,
  value: future,
});
