/**
 * Signals of the operating system, for greenlets (gevent.signal).
 * @module
 */
import { constants } from 'node:os';
import { InvalidArgumentError } from '../errors.js';
import { onBehalfOf } from '../greenlet/asker.js';
import { spawn } from '../greenlet/spawn.js';
import { spawnSite } from '../greenlet/spawn-site.js';
import { timedOut } from '../greenlet/timeout.js';
import { checkTimeout, expired, type TimeoutOption, waitAtMost } from '../hub/timed-wait.js';
import { Waiter } from '../hub/waiter.js';
import { captureContext, withoutContext } from '../loop/async-context.js';
import { Queue } from '../sync/queue.js';

/** By name or by number, as kill(1) takes them. */
export type Signal = NodeJS.Signals | number;

/** The first name of each number: SIGABRT, and not SIGIOT. */
const namesByNumber = new Map<number, NodeJS.Signals>();
for (const [name, number] of Object.entries(constants.signals))
  if (!namesByNumber.has(number)) namesByNumber.set(number, name as NodeJS.Signals);

function nameOf(signal: Signal): NodeJS.Signals {
  const name = typeof signal === 'number' ? namesByNumber.get(signal) : signal;
  const known = typeof name === 'string' && Object.hasOwn(constants.signals, name);
  if (!known || name === 'SIGKILL' || name === 'SIGSTOP')
    throw new InvalidArgumentError('signal', 'one that can be caught, as "SIGTERM" or 15', signal);
  return name;
}

function checkNames(signals: Signal | readonly Signal[]): NodeJS.Signals[] {
  const list: readonly Signal[] = Array.isArray(signals) ? signals : [signals as Signal];
  return [...new Set(list.map(nameOf))];
}

type Listener = (name: NodeJS.Signals) => void;

/** Who is to be told: the process has one listener for each signal, however many wait for it. */
const told = new Map<NodeJS.Signals, Set<Listener>>();

const tell = (name: NodeJS.Signals) => {
  for (const listener of [...(told.get(name) ?? [])]) listener(name);
};

function listen(names: NodeJS.Signals[], listener: Listener): Disposable {
  for (const name of names) {
    const listeners = told.get(name) ?? new Set();
    // Shared: it holds nobody's AsyncLocalStorage context.
    if (listeners.size === 0) withoutContext(() => process.on(name, tell));
    told.set(name, listeners.add(listener));
  }
  return {
    [Symbol.dispose]() {
      for (const name of names) {
        const listeners = told.get(name);
        if (!listeners?.delete(listener) || listeners.size > 0) continue;
        told.delete(name);
        process.off(name, tell);
      }
    },
  };
}

/** Node does not stay for signals alone; a greenlet that waits for one does. */
function stayAlive(): Disposable {
  const timer = setInterval(() => {}, 2 ** 30);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/**
 * Parks until one of these signals, given by names or numbers, comes; meanwhile it does not do what it does by
 * default. Returns its name, for a number the first that it has (`signal(7)`). The process stays while it waits.
 * @throws Timeout, InvalidArgumentError
 */
export function waitSignal(
  names: Signal | readonly Signal[],
  options?: TimeoutOption,
): NodeJS.Signals {
  const list = checkNames(names);
  checkTimeout(options?.timeout);
  const waiter = new Waiter<NodeJS.Signals | typeof expired>('waitSignal()');
  using _listening = listen(list, (name) => void waiter.wake(name));
  using _alive = stayAlive();
  const name = waitAtMost<NodeJS.Signals>(waiter, options?.timeout);
  if (name === expired) throw timedOut(options?.timeout);
  return name;
}

/**
 * Runs `handler` in a greenlet of its own each time that the signal comes, until disposed of; in the
 * AsyncLocalStorage context of who asked for it.
 */
export function onSignal(
  names: Signal | readonly Signal[],
  handler: (name: NodeJS.Signals) => void,
): Disposable {
  if (typeof handler !== 'function')
    throw new InvalidArgumentError('handler', 'a function', handler);
  const owner = { context: captureContext(), task: undefined, site: spawnSite() };
  return listen(checkNames(names), (name) => void onBehalfOf(owner, () => spawn(handler, name)));
}

/** Signals one after the other, none lost while the loop's body runs; ends with the loop. */
export function* signals(names: Signal | readonly Signal[]): IterableIterator<NodeJS.Signals> {
  const queue = new Queue<NodeJS.Signals>();
  using _listening = listen(checkNames(names), (name) => queue.putNowait(name));
  using _alive = stayAlive();
  for (;;) yield queue.get();
}
