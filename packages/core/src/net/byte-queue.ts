/** Received bytes that nobody has asked for yet: whole chunks, copied only where a read crosses two. */

const empty = Buffer.alloc(0);

export class ByteQueue {
  #chunks: Buffer[] = [];
  /** Index of the first chunk that is not used up. */
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /** What is there of the first chunk, at most `max` bytes: never a copy. */
  takeSome(max: number): Buffer {
    const chunk = this.#chunks[this.#head];
    if (!chunk) return empty;
    if (chunk.length > max) {
      this.#chunks[this.#head] = chunk.subarray(max);
      this.#size -= max;
      return chunk.subarray(0, max);
    }
    this.#dropFirst(chunk);
    return chunk;
  }

  /** Exactly `length` bytes, which must be there. A copy only if they lie in several chunks. */
  take(length: number): Buffer {
    const first = this.takeSome(length);
    if (first.length === length) return first;
    const parts = [first];
    for (let left = length - first.length; left > 0; ) {
      const part = this.takeSome(left);
      parts.push(part);
      left -= part.length;
    }
    return Buffer.concat(parts, length);
  }

  takeAll(): Buffer {
    return this.take(this.#size);
  }

  /** Where `delimiter` begins, looked for from byte `from` on; -1 if it is not there. */
  indexOf(delimiter: Buffer, from = 0): number {
    if (this.#chunks.length - this.#head > 1) this.#join();
    return this.#chunks[this.#head]?.indexOf(delimiter, from) ?? -1;
  }

  clear(): void {
    this.#chunks = [];
    this.#head = this.#size = 0;
  }

  #dropFirst(chunk: Buffer): void {
    this.#size -= chunk.length;
    this.#head++;
    if (this.#head === this.#chunks.length) {
      this.#chunks.length = this.#head = 0;
    } else if (this.#head >= 64) {
      this.#chunks.splice(0, this.#head);
      this.#head = 0;
    }
  }

  #join(): void {
    this.#chunks = [Buffer.concat(this.#chunks.slice(this.#head), this.#size)];
    this.#head = 0;
  }
}
