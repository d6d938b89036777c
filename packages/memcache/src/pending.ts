/** Pending: commands on their way, in the order in which they were sent. */
import type { Exchange } from './exchange.js';

/**
 * A list whose links are in the exchanges, and cut when one leaves. A Map, which is quicker to find what
 * is not the first, may not be used for things that come and go this fast: each time it has filled up
 * with deleted entries, it is copied, and the table it leaves behind holds all that was pending then, and
 * the next table. Once one such table is in the old generation, all that come after it outlive every
 * scavenge with what they hold: nearly every answer was copied twice, in pauses of 12 ms.
 */
export class Pending {
  #first: Exchange | undefined = undefined;
  #last: Exchange | undefined = undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }
  /** The one that was sent before all others. */
  get first(): Exchange | undefined {
    return this.#first;
  }

  add(exchange: Exchange): void {
    exchange.previous = this.#last;
    if (this.#last) this.#last.next = exchange;
    else this.#first = exchange;
    this.#last = exchange;
    this.#length++;
  }

  /** Servers answer in order, so that it is nearly always the first. */
  find(opaque: number): Exchange | undefined {
    let each = this.#first;
    while (each && each.request.opaque !== opaque) each = each.next;
    return each;
  }

  /** One that is here. */
  remove(exchange: Exchange): void {
    const { previous, next } = exchange;
    if (previous) previous.next = next;
    else this.#first = next;
    if (next) next.previous = previous;
    else this.#last = previous;
    exchange.previous = exchange.next = undefined;
    this.#length--;
  }
}
