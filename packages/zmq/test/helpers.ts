import { run, sleep, withTimeout } from '@tendril/core';
import { Dealer, Pull, Push, Router } from '@tendril/zmq';

/** A test's body in a greenlet, for at most a minute. */
export function inGreenlet(body: () => void): () => Promise<void> {
  return () => run(() => withTimeout(60_000, body)) as Promise<void>;
}

type Options = Record<string, number | string | boolean>;

/** A Push that is connected to a Pull on a free port. */
export function pipeline(push: Options = {}, pull: Options = {}) {
  const to = new Pull({ linger: 0, ...pull });
  to.bind('tcp://127.0.0.1:*');
  const from = new Push({ linger: 0, ...push });
  from.connect(to.lastEndpoint as string);
  return { from, to, [Symbol.dispose]: () => [from, to].forEach((socket) => void socket.close()) };
}

/** A Dealer that is connected to a Router on a free port. */
export function dealerAndRouter(options: Options = {}) {
  const router = new Router({ linger: 0, ...options });
  router.bind('tcp://127.0.0.1:*');
  const dealer = new Dealer({ linger: 0, ...options });
  dealer.connect(router.lastEndpoint as string);
  return {
    dealer,
    router,
    [Symbol.dispose]: () => [dealer, router].forEach((socket) => void socket.close()),
  };
}

export function text(parts: readonly Buffer[]): string[] {
  return parts.map(String);
}

/** Parks until `condition` holds. */
export function until(condition: () => boolean, ms = 30_000): void {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${condition}`);
    sleep(5);
  }
}

/** Reproducible numbers from 0 up to below 1. */
export function chances(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
