/**
 * Waiters of Atomics.waitAsync, which stand in one queue with the threads that wait at their place in
 * memory, first in, first out, and cannot be taken out of it.
 *
 * One whose owner has gone (killed, or out of time) stays: if a notification wakes it, it notifies the
 * next in line, for nothing is handed to the dead. So that they do not pile up, V8 is told the time
 * limit and removes it when that is over; and where some stand already, the next to wait there takes
 * one over.
 */

export interface Place {
  array: Int32Array | BigInt64Array;
  index: number;
  /** What stands there as long as there is something to wait for. */
  value: number | bigint;
}

export type Answer = 'ok' | 'not-equal' | 'timed-out';

/** Who waits by a waiter. */
export interface WaiterOwner {
  notified(): void;
  /** V8's time limit is over, and it stands there no more. */
  expired(): void;
}

type Async = { async: false; value: Answer } | { async: true; value: Promise<Answer> };
type WaitAsync = (
  array: Place['array'],
  index: number,
  value: unknown,
  timeout: number | undefined,
) => Async;

const { load, notify } = Atomics;
const { waitAsync } = Atomics as unknown as { waitAsync: WaitAsync };

/** Abandoned waiters at one place before one is taken over. */
const spare = 8;

/** The abandoned ones, oldest first, by memory and offset. */
const abandoned = new WeakMap<ArrayBufferLike, Map<number, Set<Waiter>>>();

const offsetOf = ({ array, index }: Place) => array.byteOffset + index * array.BYTES_PER_ELEMENT;

export class Waiter {
  owner: WaiterOwner | undefined;
  readonly #place: Place;
  #takenOver = false;

  private constructor(place: Place) {
    this.#place = place;
  }

  /**
   * Puts one at the end of the queue, if there is something to wait for. The promise of V8 does not
   * keep the process alive.
   * @throws what Atomics.wait throws for the same arguments
   */
  static stand(place: Place, timeout: number | undefined): Exclude<Answer, 'ok'> | Waiter {
    const { array, index, value } = place;
    const answer = waitAsync(array, index, value, timeout);
    if (!answer.async) return answer.value as Exclude<Answer, 'ok'>;
    const waiter = new Waiter(place);
    answer.value.then((outcome) => waiter.#settled(outcome));
    return waiter;
  }

  /** The youngest of the abandoned ones, where there are many and the value is what is expected. */
  static takeOver(place: Place): Waiter | undefined {
    const { array, index, value } = place;
    if (!(array?.buffer instanceof SharedArrayBuffer) || !Number.isInteger(index)) return undefined;
    const waiters = abandoned.get(array.buffer)?.get(offsetOf(place));
    if (!waiters || waiters.size < spare || !holds(array, index, value)) return undefined;
    const waiter = [...waiters].at(-1) as Waiter;
    waiter.#forget();
    waiter.#takenOver = true;
    return waiter;
  }

  /** Its owner has gone. */
  abandon(): void {
    this.owner = undefined;
    const { buffer } = this.#place.array;
    const places = abandoned.get(buffer) ?? new Map<number, Set<Waiter>>();
    const waiters = places.get(offsetOf(this.#place)) ?? new Set();
    abandoned.set(buffer, places.set(offsetOf(this.#place), waiters.add(this)));
  }

  #forget(): void {
    const places = abandoned.get(this.#place.array.buffer);
    const waiters = places?.get(offsetOf(this.#place));
    if (waiters?.delete(this) && waiters.size === 0) places?.delete(offsetOf(this.#place));
  }

  #settled(outcome: Answer): void {
    this.#forget();
    const { owner } = this;
    this.owner = undefined;
    if (outcome !== 'ok') owner?.expired();
    else if (!owner) this.#passOn();
    // It may have been notified before it was taken over: then this is somebody else's.
    else if (this.#takenOver && this.#passOn()) owner.expired();
    else owner.notified();
  }

  /** Notifies the next in line. False if there is none. */
  #passOn(): boolean {
    const { array, index } = this.#place;
    return notify(array as Int32Array, index, 1) > 0;
  }
}

/** Atomics.wait's comparison, for values that need no conversion. */
function holds(array: Place['array'], index: number, value: unknown): boolean {
  if (index < 0 || index >= array.length) return false;
  if (array instanceof Int32Array)
    return typeof value === 'number' && load(array, index) === (value | 0);
  if (!(array instanceof BigInt64Array) || typeof value !== 'bigint') return false;
  return load(array, index) === BigInt.asIntN(64, value);
}
