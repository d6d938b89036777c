/**
 * Who waits for something, first come, first served.
 *
 * An entry that was killed or timed out is settled at once and leaves the list a little later, when its
 * greenlet runs; until then everybody steps over it.
 */
import { type expired, waitAtMost } from '../hub/timed-wait.js';
import { Waiter } from '../hub/waiter.js';

/** Something that can be served: a parked greenlet, or a callback. */
export interface Waiting<T> {
  readonly settled: boolean;
  /** False if it does not wait any more. */
  wake(value: T): boolean;
}

interface Node<T, P> {
  readonly waiting: Waiting<T>;
  /** What the one that waits has brought with it, or was given along with the value. */
  payload: P;
  previous: Node<T, P>;
  next: Node<T, P>;
}

export class WaitList<T = true, P = undefined> {
  /** Sentinel of a circular list. */
  readonly #end: Node<T, P>;

  constructor() {
    const end = { waiting: { settled: true, wake: () => false } } as unknown as Node<T, P>;
    end.previous = end.next = end;
    this.#end = end;
  }

  #append(waiting: Waiting<T>, payload: P): Node<T, P> {
    const end = this.#end;
    const node = { waiting, payload, previous: end.previous, next: end };
    end.previous.next = node;
    end.previous = node;
    return node;
  }

  #remove(node: Node<T, P>): void {
    node.previous.next = node.next;
    node.next.previous = node.previous;
    node.next = node.previous = node;
  }

  /**
   * Parks the current greenlet at the end of the list. `undo` takes back what it was given in the same
   * turn in which it was killed, and gets the payload with it.
   */
  wait(
    what: string,
    payload: P,
    timeout?: number,
    undo?: (value: T, payload: P) => void,
  ): T | typeof expired {
    const waiter = new Waiter<T | typeof expired>(what);
    const node = this.#append(waiter as Waiting<T>, payload);
    return waitAtMost<T>(
      waiter,
      timeout,
      () => this.#remove(node),
      undo && ((value) => undo(value, node.payload)),
    );
  }

  /** Puts a callback in line. Returns how to leave it. */
  add(waiting: Waiting<T>, payload: P): () => void {
    const node = this.#append(waiting, payload);
    return () => this.#remove(node);
  }

  /** The first that still waits; undefined if nobody does. */
  first(): Node<T, P> | undefined {
    for (;;) {
      const node = this.#end.next;
      if (node === this.#end) return undefined;
      if (!node.waiting.settled) return node;
      this.#remove(node);
    }
  }

  /** Serves the first that still waits, and returns what it has brought; false if nobody waits. */
  serve(value: T): { payload: P } | false {
    for (let node = this.first(); node; node = this.first()) {
      this.#remove(node);
      if (node.waiting.wake(value)) return node;
    }
    return false;
  }

  /** Serves everybody who waits at this moment. */
  serveAll(value: T): void {
    while (this.serve(value)) {
      // the list shrinks with every turn
    }
  }

  /** Throws `reason` in everybody who waits. */
  failAll(reason: () => unknown): void {
    for (let node = this.first(); node; node = this.first()) {
      this.#remove(node);
      (node.waiting as Waiter<T>).fail(reason());
    }
  }

  /** How many wait. */
  get length(): number {
    let count = 0;
    for (let node = this.#end.next; node !== this.#end; node = node.next)
      if (!node.waiting.settled) count++;
    return count;
  }
}
