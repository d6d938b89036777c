/** Exchange: one command on its way, and who waits for the answer. */
import type { Resume } from '@tendril/core';
import type { Response } from 'memjs';

/** A command, encoded. */
export interface Request {
  readonly frame: Buffer;
  /** Stands in the frame and in every part of the answer. */
  readonly opaque: number;
  /** False: it is sent at most once, whatever happens. */
  readonly repeatable: boolean;
  /** For an answer of many messages: whether this is the last. */
  readonly isLast?: (message: Response) => boolean;
}

/** An error to be made by the greenlet that waits, so that its stack is the caller's. */
export class Failure {
  readonly make: () => Error;

  constructor(make: () => Error) {
    this.make = make;
  }
}

export type Answer = readonly Response[];

export class Exchange {
  readonly request: Request;
  /** When it was handed to the socket; `performance.now()`. */
  sentAt = 0;
  /** Nobody waits any more. Its answer is still to come, and taken for nobody else's. */
  abandoned = false;
  /** Neighbours among those on their way: see pending.ts. */
  previous: Exchange | undefined = undefined;
  next: Exchange | undefined = undefined;
  readonly #resume: Resume<Answer | Failure>;
  readonly #release: () => void;
  #parts: Response[] | undefined;

  /** `release` is called when it is over, by an answer or a failure. */
  constructor(request: Request, resume: Resume<Answer | Failure>, release: () => void) {
    this.request = request;
    this.#resume = resume;
    this.#release = release;
  }

  /** Takes a message. True when the answer is complete. */
  receive(message: Response): boolean {
    const { isLast } = this.request;
    if (!isLast) {
      this.#end([message]);
      return true;
    }
    this.#parts ??= [];
    if (!this.abandoned) this.#parts.push(message);
    if (!isLast(message)) return false;
    this.#end(this.#parts);
    return true;
  }

  fail(make: () => Error): void {
    this.#end(new Failure(make));
  }

  abandon(): void {
    this.abandoned = true;
    this.#parts = [];
  }

  #end(result: Answer | Failure): void {
    this.#resume(result);
    this.#release();
  }
}
