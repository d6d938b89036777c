/** Timers in the order in which they fire: by their time, then by their creation. */

export interface VirtualTimer {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
  cancelled: boolean;
}

function before(a: VirtualTimer, b: VirtualTimer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** A binary heap. Cancelled timers are passed over when they come up. */
export class TimerHeap {
  #heap: VirtualTimer[] = [];
  #cancelled = 0;

  /** Timers that are still to fire. */
  get size(): number {
    return this.#heap.length - this.#cancelled;
  }

  push(timer: VirtualTimer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(timer, heap[parent] as VirtualTimer)) break;
      heap[at] = heap[parent] as VirtualTimer;
      at = parent;
    }
    heap[at] = timer;
  }

  cancel(timer: VirtualTimer): void {
    if (timer.cancelled) return;
    timer.cancelled = true;
    this.#cancelled++;
  }

  /** The next to fire; it stays in the heap. */
  peek(): VirtualTimer | undefined {
    while (this.#heap[0]?.cancelled) {
      this.#removeFirst();
      this.#cancelled--;
    }
    return this.#heap[0];
  }

  /** Takes the one that {@link peek} showed. */
  shift(): VirtualTimer | undefined {
    const first = this.peek();
    if (first) {
      this.#removeFirst();
      first.cancelled = true; // to cancel it from here on changes nothing
    }
    return first;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop() as VirtualTimer;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right && before(right, heap[child] as VirtualTimer)) child++;
      if (!before(heap[child] as VirtualTimer, last)) break;
      heap[at] = heap[child] as VirtualTimer;
      at = child;
    }
    heap[at] = last;
  }
}
