/** How queues keep their items; who waits for them is queue.ts's business. */
import { Ring } from '../loop/ring.js';

export interface Items<T> {
  readonly length: number;
  /** `order` tells which of two came in first. */
  push(item: T, order: number): void;
  pop(): T;
  /** Takes an item back that was given to somebody who died before seeing it. */
  unpop(item: T, order: number): void;
  peek(): T | undefined;
  clear(): void;
}

export class FifoItems<T> implements Items<T> {
  readonly #ring = new Ring<T>();
  /** Orders of the items at the head of the ring that were taken back: all older than the rest. */
  readonly #returned: number[] = [];

  get length(): number {
    return this.#ring.length;
  }
  push(item: T): void {
    this.#ring.push(item);
  }
  pop(): T {
    if (this.#returned.length > 0) this.#returned.shift();
    return this.#ring.shift() as T;
  }
  unpop(item: T, order: number): void {
    const at = this.#returned.findIndex((other) => other > order);
    const place = at < 0 ? this.#returned.length : at;
    this.#returned.splice(place, 0, order);
    const older: T[] = [];
    for (let i = 0; i < place; i++) older.push(this.#ring.shift() as T);
    this.#ring.unshift(item);
    for (const each of older.reverse()) this.#ring.unshift(each);
  }
  peek(): T | undefined {
    return this.#ring.peek();
  }
  clear(): void {
    this.#returned.length = 0;
    this.#ring.clear();
  }
}

export class LifoItems<T> implements Items<T> {
  readonly #stack: T[] = [];
  get length(): number {
    return this.#stack.length;
  }
  push(item: T): void {
    this.#stack.push(item);
  }
  pop(): T {
    return this.#stack.pop() as T;
  }
  unpop(item: T): void {
    this.#stack.push(item);
  }
  peek(): T | undefined {
    return this.#stack.at(-1);
  }
  clear(): void {
    this.#stack.length = 0;
  }
}

interface Ranked<T> {
  item: T;
  /** Equal items come out in the order in which they came in. */
  order: number;
}

/** A binary heap; `<` decides, so numbers, strings, dates and objects with valueOf() work. */
export class PriorityItems<T> implements Items<T> {
  readonly #heap: Ranked<T>[] = [];

  get length(): number {
    return this.#heap.length;
  }
  push(item: T, order: number): void {
    this.#insert({ item, order });
  }
  unpop(item: T, order: number): void {
    this.#insert({ item, order });
  }
  peek(): T | undefined {
    return this.#heap[0]?.item;
  }
  clear(): void {
    this.#heap.length = 0;
  }

  pop(): T {
    const heap = this.#heap;
    const first = heap[0] as Ranked<T>;
    const last = heap.pop() as Ranked<T>;
    if (heap.length === 0) return first.item;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], last)) break;
      heap[at] = heap[child] as Ranked<T>;
      at = child;
    }
    heap[at] = last;
    return first.item;
  }

  #insert(entry: Ranked<T>): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(entry, heap[parent])) break;
      heap[at] = heap[parent] as Ranked<T>;
      at = parent;
    }
    heap[at] = entry;
  }
}

function before<T>(a: Ranked<T> | undefined, b: Ranked<T> | undefined): boolean {
  const x = a as Ranked<T>;
  const y = b as Ranked<T>;
  if (x.item < y.item) return true;
  if (y.item < x.item) return false;
  return x.order < y.order;
}
