/**
 * Every error class of core, grouped by who is at fault. The codes are stable; the messages say what
 * to do.
 */

import { callFromOutside, runningElsewhere } from './own-code.js';

/** Base of core's own errors. `code` is stable across releases. */
export class TendrilError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

// ------------------------------------------------------------ the caller's fault

/** A blocking call was made where there is no greenlet to park. */
export class NotInGreenletError extends TendrilError {
  /** `what` is for when the trace does not tell which call of ours was made from outside, or is `exact`. */
  constructor(what = 'A blocking call', exact = false) {
    const call = (exact ? undefined : callFromOutside(new.target)) ?? what;
    const elsewhere = runningElsewhere();
    super(
      'ERR_NOT_IN_GREENLET',
      elsewhere
        ? `${call} of the @tendril/core in ${elsewhere.own} was made in a greenlet of another copy, in ` +
            `${elsewhere.other}: one cannot park in the other. Make them one, for example with \`npm dedupe\`.`
        : `${call} was made outside a greenlet. Start the code with spawn(fn) or run(fn). After an ` +
            '`await` code no longer runs in its greenlet: use wait(promise) in place of `await promise`.',
    );
  }
}

/** Two greenlets use something at once that only one can use. */
export class ConcurrentUseError extends TendrilError {
  constructor(what: string) {
    super(
      'ERR_CONCURRENT_USE',
      `${what} is already in use by another greenlet. Guard it with a Semaphore, or give each greenlet its own.`,
    );
  }
}

/** The greenlet stands in a frame that cannot be left and entered again, or the process is going away. */
export class CannotSwitchError extends TendrilError {
  constructor(
    why: string,
    advice = 'Move the blocking call out of it, for example into a spawn(...)',
  ) {
    super('ERR_CANNOT_SWITCH', `This greenlet cannot park here: ${why}. ${advice}.`);
  }

  /** In a listener of `exit`. */
  static leaving(): CannotSwitchError {
    return new CannotSwitchError(
      'process.exit() has been called, after which nobody goes on',
      "Do it before the exit, or with what blocks: in a listener of 'exit' all of Node's functions do",
    );
  }
}

/** An argument is of the wrong type or out of range. */
export class InvalidArgumentError extends TendrilError {
  constructor(name: string, expected: string, got: unknown) {
    const shown = typeof got === 'object' && got !== null ? got.constructor?.name : String(got);
    super('ERR_INVALID_ARG', `\`${name}\` must be ${expected}; got ${shown}.`);
  }
}

/** A lock was released more often than acquired, or by somebody who does not hold it. */
export class ReleaseError extends TendrilError {
  constructor(why: string) {
    super('ERR_RELEASE', `${why}. Release once for every acquire, and only what you hold.`);
  }
}

/** No greenlet can ever wake again. `parked` names those that wait, and where. */
export class LoopExit extends TendrilError {
  readonly parked: readonly string[];

  constructor(parked: readonly string[]) {
    super(
      'ERR_LOOP_EXIT',
      `This operation would block forever: nothing is left that could wake ${parked.length} parked ` +
        `greenlet${parked.length === 1 ? '' : 's'}.\n${parked.join('\n')}`,
    );
    this.parked = parked;
  }
}

// ------------------------------------------------------- nobody's fault: signals

const exitMark = Symbol.for('tendril.GreenletExit');

/**
 * Ends a greenlet from outside: thrown at its park point by `kill()`. A greenlet that ends by it is
 * successful, with the exit as its value (gevent.GreenletExit).
 */
export class GreenletExit extends TendrilError {
  constructor(message = 'The greenlet was killed', options?: ErrorOptions) {
    super('ERR_GREENLET_EXIT', message, options);
  }

  /** Known to every copy of this package in the process. */
  get [exitMark](): true {
    return true;
  }
}

/**
 * True for the error that `kill()` throws, of whatever copy of this package: for `catch` blocks that take
 * everything.
 */
export function isExit(error: unknown): error is GreenletExit {
  return error instanceof Error && (error as { [exitMark]?: true })[exitMark] === true;
}

/** First line of a catch-all in a greenlet: lets a kill through. */
export function rethrowExit(error: unknown): void {
  if (isExit(error)) throw error;
}

/** `get` found nothing in time, or was told not to wait. */
export class QueueEmpty extends TendrilError {
  constructor() {
    super(
      'ERR_QUEUE_EMPTY',
      'The queue is empty. Wait for an item with get(), or try again later.',
    );
  }
}

/** `put` found no room in time, or was told not to wait. */
export class QueueFull extends TendrilError {
  constructor() {
    super('ERR_QUEUE_FULL', 'The queue is full. Wait for room with put(), or raise its maxSize.');
  }
}

/** The queue was shut down, and holds nothing any more. */
export class QueueShutDown extends TendrilError {
  constructor() {
    super('ERR_QUEUE_SHUT_DOWN', 'The queue was shut down: nothing more can be put or got.');
  }
}

/** No resource of a pool came free in time, or, without `max`, not the one that several greenlets share. */
export class AcquireTimeoutError extends TendrilError {
  constructor(ms: number, max: number | undefined, waiting: number) {
    super(
      'ERR_ACQUIRE_TIMEOUT',
      max === undefined
        ? `Other greenlets had this connection for ${ms} ms, in a transaction or one command after the ` +
            `other; ${waiting} more are waiting. Make transactions shorter, use a pool, or raise acquireTimeout.`
        : `None of the pool's ${max} came free within ${ms} ms; ${waiting} more are waiting. Give back what ` +
            'is not used any more, make the pool larger, or raise acquireTimeout.',
    );
  }
}

/** The pool was closed: it lends nothing any more. */
export class PoolClosedError extends TendrilError {
  constructor() {
    super('ERR_POOL_CLOSED', 'This pool is closed. Make a new one.');
  }
}

// ------------------------------------------------------------ input and output

/** The input ended before what was asked for had come. `partial` holds what came. */
export class IncompleteReadError extends TendrilError {
  readonly partial: Buffer;

  constructor(partial: Buffer, wanted: string) {
    super(
      'ERR_INCOMPLETE_READ',
      `The input ended after ${partial.length} bytes, before ${wanted}. What came is in \`partial\`.`,
    );
    this.partial = partial;
  }
}

/** A line or message is longer than the reader allows. It stays unread. */
export class LimitExceededError extends TendrilError {
  readonly limit: number;

  constructor(limit: number, what: string) {
    super(
      'ERR_LIMIT_EXCEEDED',
      `No ${what} within the first ${limit} bytes. Raise \`max\`, or close the connection.`,
    );
    this.limit = limit;
  }
}

/** The socket, listener or server was closed, by this side. */
export class SocketClosedError extends TendrilError {
  constructor(what: string) {
    super('ERR_SOCKET_CLOSED', `${what} is closed. Open a new one.`);
  }
}

/** This Node or platform cannot do what an option asks for. */
export class UnsupportedError extends TendrilError {
  constructor(what: string, where: string) {
    super('ERR_UNSUPPORTED', `${what} is not supported here: it needs ${where}.`);
  }
}
