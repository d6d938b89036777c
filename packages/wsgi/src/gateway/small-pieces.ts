/**
 * SmallPieces: bytes that come a few at a time, put together. A Buffer costs some 150 bytes beside its
 * own, and holds the whole read that it came in: a body of chunks of one byte would take a hundred times
 * its size.
 */

/** Longer pieces are worth their own Buffer. */
export const smallest = 512;
const blockSize = 4096;

export class SmallPieces {
  #block: Buffer | undefined = undefined;
  #taken = 0;
  #end = 0;

  get size(): number {
    return this.#end - this.#taken;
  }

  /** Copies `piece`. False if there is no room: {@link take} makes some. */
  add(piece: Buffer): boolean {
    this.#block ??= Buffer.allocUnsafeSlow(blockSize);
    if (this.#end + piece.length > blockSize) return false;
    piece.copy(this.#block, this.#end);
    this.#end += piece.length;
    return true;
  }

  /** What was added since the last time. Its bytes are not written to again. */
  take(): Buffer {
    const bytes = (this.#block as Buffer).subarray(this.#taken, this.#end);
    this.#taken = this.#end;
    if (blockSize - this.#end < smallest) {
      this.#block = undefined;
      this.#taken = this.#end = 0;
    }
    return bytes;
  }
}
