/** BaseServer: what servers of connections and of datagrams have in common. */
import { InvalidArgumentError, isExit, SocketClosedError } from '../errors.js';
import { type Asker, nobody, onBehalfOf } from '../greenlet/asker.js';
import { Greenlet } from '../greenlet/greenlet.js';
import { joinall, killall } from '../greenlet/join.js';
import { spawnSite } from '../greenlet/spawn-site.js';
import { hub } from '../hub/hub.js';
import { checkTimeout } from '../hub/timed-wait.js';
import { captureContext } from '../loop/async-context.js';
import { Event } from '../sync/event.js';
import { Group } from '../sync/group.js';
import { Pool } from '../sync/pool.js';

export interface BaseServerOptions {
  /** A pool for the handlers, or how many may run at a time; default no limit but `maxConnections`. */
  spawn?: Pool | Group | number;
}

export interface StopOptions {
  /**
   * Milliseconds for all that is under way: handlers that run or wait in line, and what they have sent.
   * Then handlers are killed, and connections closed. Default 1,000.
   */
  timeout?: number;
  /**
   * Milliseconds that killed handlers have for their `finally` blocks; those that take longer are reported
   * and left behind. Default 5,000.
   */
  grace?: number;
}

interface Place {
  settled: boolean;
  wake(value: true): boolean;
  leave(): void;
}

type State = 'created' | 'started' | 'stopping' | 'stopped';

const defaultStopTimeout = 1000;
const defaultGrace = 5000;

function poolOf(spawn: Pool | Group | number | undefined): Group | undefined {
  if (spawn === undefined) return undefined;
  if (typeof spawn === 'number') return new Pool(spawn);
  if (spawn instanceof Group) return spawn;
  throw new InvalidArgumentError('spawn', 'a Pool, a Group or a number', spawn);
}

/**
 * Starts, serves and stops (gevent.baseserver.BaseServer). A subclass opens and closes what it listens
 * on, and calls {@link BaseServer.handle} for what comes in.
 */
export abstract class BaseServer implements Disposable {
  /** Undefined: every handler starts at once. */
  readonly #pool: Group | undefined;
  #state: State = 'created';
  /** Handlers are reported as spawned where the server was made. */
  readonly #site = spawnSite();
  /**
   * Whose context handlers have: that of who started the server, as handlers of Node's servers do, and
   * never that of another handler, at whose end the next one may begin.
   */
  #owner: Asker = nobody;
  readonly #stopped = new Event();
  readonly #running = new Set<Greenlet>();
  /** Handlers that wait for a place in the pool. */
  readonly #line = new Set<Place>();

  constructor(options: BaseServerOptions = {}) {
    this.#pool = poolOf(options.spawn);
  }

  /** Opens the port or socket, parking until it is open. */
  protected abstract open(): void;
  /** Takes in no more. Called once, from anywhere. */
  protected abstract closeInput(): void;
  /**
   * Called by stop() when the handlers have ended: parks until what they have begun is done, at most for
   * `timeout` milliseconds, and ends what is not.
   */
  protected finishRest(_timeout: number): void {}
  /** Lets go of what is left when all handlers have ended. */
  protected abstract closeRest(): void;

  /** Parks until the server listens. @throws SocketClosedError after stop(); Node's errors (EADDRINUSE) */
  start(): void {
    if (this.#state === 'started') return;
    if (this.#state !== 'created') throw new SocketClosedError('This server');
    this.#owner = { context: captureContext(), task: undefined, site: this.#site };
    this.open();
    this.#state = 'started';
  }

  get started(): boolean {
    return this.#state === 'started';
  }
  get closed(): boolean {
    return this.#state === 'stopping' || this.#state === 'stopped';
  }
  /** Handlers that run now. */
  get active(): number {
    return this.#running.size;
  }

  /**
   * Runs `work` in a greenlet of the pool, now or when there is room; `done` is called at its end,
   * whatever it was, and when the server stops before it had room. Errors of `work` are reported, and are
   * nobody else's.
   * @returns how to give up a place in the line; undefined if it runs already
   */
  protected handle(work: () => void, done: () => void): (() => void) | undefined {
    const greenlet = onBehalfOf(this.#owner, () => new Greenlet(work));
    greenlet.name = this.constructor.name;
    greenlet.onEnd(() => {
      this.#running.delete(greenlet);
      done();
    });
    if (!this.#pool) {
      this.#running.add(greenlet);
      greenlet.start();
      return undefined;
    }
    return this.#queue(greenlet, this.#pool, done);
  }

  #queue(greenlet: Greenlet, pool: Group, done: () => void): (() => void) | undefined {
    const settle = () => {
      place.settled = true;
      this.#line.delete(place);
    };
    const place: Place = {
      settled: false,
      leave: () => {
        settle();
        done();
      },
      wake: () => {
        if (place.settled) return false;
        settle();
        this.#running.add(greenlet);
        pool.startInSlot(greenlet);
        return true;
      },
    };
    if (pool.startOrQueue(greenlet, place)) {
      this.#running.add(greenlet);
      return undefined;
    }
    this.#line.add(place);
    return settle;
  }

  /** For errors of handlers. A kill is no error. */
  protected report(error: unknown): void {
    if (!isExit(error)) hub.report(error, `a handler of ${this.constructor.name}`);
  }

  /**
   * Takes in no more, lets what is under way end, and after `timeout` milliseconds kills the handlers that
   * have not and closes what is open. Parks until that is done. Harmless when repeated.
   */
  stop({ timeout = defaultStopTimeout, grace = defaultGrace }: StopOptions = {}): void {
    checkTimeout(timeout);
    checkTimeout(grace, 'grace');
    if (this.#state === 'stopped') return;
    if (this.#state === 'stopping') {
      this.#stopped.wait();
      return;
    }
    const opened = this.#state === 'started';
    this.#state = 'stopping';
    if (opened) this.closeInput();
    const deadline = hub.clock.now() + timeout;
    try {
      this.#drain(deadline);
      this.#kill(grace);
      this.finishRest(Math.max(0, deadline - hub.clock.now()));
    } finally {
      this.#end();
    }
  }

  get #others(): Greenlet[] {
    return [...this.#running].filter((greenlet) => greenlet !== hub.current);
  }

  /** Waits for all handlers, those that come out of the line meanwhile included. */
  #drain(deadline: number): void {
    for (let running = this.#others; running.length > 0; running = this.#others) {
      const timeout = deadline - hub.clock.now();
      if (timeout <= 0) return;
      joinall(running, { timeout });
    }
  }

  #kill(grace: number): void {
    for (const place of this.#line) place.leave();
    const running = this.#others;
    killall(running, { timeout: grace });
    const left = running.filter((greenlet) => !greenlet.dead).length;
    if (left > 0)
      hub.onError(
        new Error(`${left} handlers were killed and have not ended within ${grace} ms`),
        `stop() of ${this.constructor.name}`,
      );
  }

  #end(): void {
    this.#state = 'stopped';
    for (const place of this.#line) place.leave();
    for (const greenlet of this.#running) greenlet.kill({ block: false });
    this.closeRest();
    this.#stopped.set();
  }

  /** Starts if need be, and parks until the server is stopped. A kill of the caller stops it. */
  serveForever(options?: StopOptions): void {
    this.start();
    try {
      this.#stopped.wait();
    } finally {
      this.stop(options);
    }
  }

  /** Closes at once: running handlers are told to end, and not waited for. */
  close(): void {
    if (this.#state === 'stopped') return;
    if (this.#state === 'started') this.closeInput();
    this.#end();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
