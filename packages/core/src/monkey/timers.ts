/**
 * timers/promises: in greenlets they go by the hub's clock, and give up when the greenlet is killed.
 * They return promises and async iterators as ever.
 *
 * A timer that shall not hold the process (`ref: false`) and times beyond 2^31 - 1 ms stay Node's.
 */
import { type Greenlet, getHub } from '../index.js';
import { getOriginal } from './registry.js';
import { quietly, replaceStarting, withSignal } from './started.js';

interface TimerOptions {
  signal?: AbortSignal;
  ref?: boolean;
}

type Start = (delay: unknown, value: unknown, options: unknown) => Promise<unknown>;

export function installTimers(): void {
  const module = 'timers/promises';
  const timeout = getOriginal<Start>(module, 'setTimeout');
  replaceStarting(module, 'setTimeout', () => (greenlet, ...args) => {
    return startTimeout(timeout, greenlet, ...args);
  });
  replaceStarting(module, 'scheduler.wait', () => (greenlet, delay, options) => {
    return startTimeout(timeout, greenlet, delay, undefined, options);
  });
  replaceStarting(module, 'setImmediate', (original) => (greenlet, value, options) => {
    const started = original(value, withSignal(greenlet, options));
    return quietly(greenlet, started as Promise<unknown>);
  });
  replaceStarting(module, 'setInterval', (original) => (greenlet, delay, value, options) => {
    const signals = signalsOf(greenlet, delay, options);
    if (!signals) return original(delay, value, withSignal(greenlet, options));
    return ticks(delay as number | undefined, value, signals, timeout);
  });
}

const longest = 2 ** 31 - 1;

/** What can abort a timer of the hub's clock; undefined where Node has to make the timer, or refuse it. */
function signalsOf(
  greenlet: Greenlet,
  delay: unknown,
  options: unknown,
): AbortSignal[] | undefined {
  if (delay !== undefined && !(typeof delay === 'number' && delay >= 0 && delay <= longest))
    return undefined;
  if (options === undefined) return [greenlet.signal];
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return undefined;
  const { signal, ref } = options as TimerOptions;
  if (ref !== undefined && ref !== true) return undefined;
  if (signal === undefined) return [greenlet.signal];
  return signal instanceof AbortSignal ? [signal, greenlet.signal] : undefined;
}

/** As Node has it: at least a millisecond. */
const timeOf = (delay: number | undefined) => Math.max(1, delay ?? 1);

const abortedOf = (signals: AbortSignal[]) => signals.find((signal) => signal.aborted);

function onAbort(signals: AbortSignal[], abort: () => void): () => void {
  for (const signal of signals) signal.addEventListener('abort', abort);
  return () => {
    for (const signal of signals) signal.removeEventListener('abort', abort);
  };
}

function startTimeout(
  original: Start,
  greenlet: Greenlet,
  delay?: unknown,
  value?: unknown,
  options?: unknown,
): Promise<unknown> {
  const signals = signalsOf(greenlet, delay, options);
  if (!signals || abortedOf(signals))
    return quietly(greenlet, original(delay, value, withSignal(greenlet, options)));
  const started = new Promise((resolve) => {
    const timer = getHub().clock.setTimer(timeOf(delay as number | undefined), () => {
      stopWatching();
      resolve(value);
    });
    const stopWatching = onAbort(signals, () => {
      timer.cancel();
      stopWatching();
      resolve(abortError(original, abortedOf(signals)));
    });
  });
  return quietly(greenlet, started);
}

/** Rejects with Node's own AbortError, which nobody else can make. */
function abortError(timeout: Start, signal: AbortSignal | undefined): Promise<unknown> {
  return timeout(1, undefined, { signal });
}

/** One value for each tick, those included that come while nobody asks. Begins when it is first asked. */
async function* ticks(
  delay: number | undefined,
  value: unknown,
  signals: AbortSignal[],
  timeout: Start,
): AsyncGenerator<unknown, void> {
  const { clock } = getHub();
  let due = 0;
  let wake = () => {};
  const arm = () =>
    clock.setTimer(timeOf(delay), () => {
      due++;
      timer = arm();
      wake();
    });
  let timer = arm();
  const stopWatching = onAbort(signals, () => wake());
  try {
    while (!abortedOf(signals)) {
      if (due === 0)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      for (; due > 0; due--) yield value;
    }
    await abortError(timeout, abortedOf(signals));
  } finally {
    timer.cancel();
    stopWatching();
  }
}
