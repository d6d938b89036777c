/** How queues keep their items; who waits for them is queue.ts's business. */
import { Heap } from '../loop/heap.js';
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

interface Ordered<T> {
  readonly item: T;
  readonly order: number;
}

export class FifoItems<T> implements Items<T> {
  readonly #ring = new Ring<T>();
  /** Taken back: all older than those in the ring. */
  #returned: Heap<Ordered<T>> | undefined = undefined;

  get length(): number {
    return this.#ring.length + (this.#returned?.length ?? 0);
  }
  push(item: T): void {
    this.#ring.push(item);
  }
  pop(): T {
    if (!this.#returned) return this.#ring.shift() as T;
    const { item } = this.#returned.pop() as Ordered<T>;
    if (this.#returned.length === 0) this.#returned = undefined;
    return item;
  }
  unpop(item: T, order: number): void {
    this.#returned ??= new Heap((a, b) => a.order < b.order);
    this.#returned.push({ item, order });
  }
  peek(): T | undefined {
    return this.#returned ? this.#returned.peek()?.item : this.#ring.peek();
  }
  clear(): void {
    this.#returned = undefined;
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

/** `<` decides, so numbers, strings, dates and objects with valueOf() work. */
export class PriorityItems<T> implements Items<T> {
  readonly #heap = new Heap<Ordered<T>>(before);

  get length(): number {
    return this.#heap.length;
  }
  push(item: T, order: number): void {
    this.#heap.push({ item, order });
  }
  pop(): T {
    return (this.#heap.pop() as Ordered<T>).item;
  }
  unpop(item: T, order: number): void {
    this.#heap.push({ item, order });
  }
  peek(): T | undefined {
    return this.#heap.peek()?.item;
  }
  clear(): void {
    this.#heap.clear();
  }
}

/** Equal items come out in the order in which they came in. */
function before<T>(x: Ordered<T>, y: Ordered<T>): boolean {
  if (x.item < y.item) return true;
  if (y.item < x.item) return false;
  return x.order < y.order;
}
