/**
 * Takes chunked bodies apart (RFC 9112, 7.1), by the same method as the head scanner.
 *
 *     state        on            goes to        remark
 *     -----------  ------------  -------------  ------------------------------------------------
 *     size         hex digit     size           at most 13 digits
 *                  ;             extension      not at once: a size has a digit
 *                  CR            sizeLf         not at once
 *     extension    value byte    extension      at most 4,096 bytes in a body
 *                  CR            sizeLf
 *     sizeLf       LF            data, or done if the size was 0: trailers follow
 *     data         any           data           given out in the pieces in which it came
 *     dataCr       CR            dataLf
 *     dataLf       LF            size
 */
import { byte, hexDigits, valueBytes } from './characters.js';
import type { Limits } from './limits.js';
import { RequestError } from './request-error.js';

const size = 0;
const extension = 1;
const sizeLf = 2;
const data = 3;
const dataCr = 4;
const dataLf = 5;
const done = 6;

/** 2 to the power of 52 is exact in a number, and more than anybody sends. */
const maxDigits = 13;
const maxExtensions = 4096;

export class ChunkScanner {
  readonly #limits: Limits;
  #state = size;
  #digits = 0;
  /** Of this chunk: its size, and then what is still to come of it. */
  #left = 0;
  #extensions = 0;
  #total = 0;
  /** Where the scanner stopped, in the bytes that it was given. */
  at = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Gets ready for a body. */
  reset(): void {
    this.#state = size;
    this.#digits = this.#left = this.#extensions = this.#total = 0;
  }

  /** The last chunk has come: trailers follow. */
  get done(): boolean {
    return this.#state === done;
  }

  /**
   * Goes on through `bytes` from `from` to `end`, and leaves in `at` where it stopped: after a piece
   * of data, after the last chunk, or at the end.
   * @returns a piece of data, if it stopped after one
   * @throws RequestError
   */
  scan(bytes: Buffer, from: number, end: number): Buffer | undefined {
    let at = from;
    while (at < end && this.#state !== done) {
      if (this.#state === data) {
        const stop = Math.min(end, at + this.#left);
        this.#left -= stop - at;
        if (this.#left === 0) this.#state = dataCr;
        this.at = stop;
        return bytes.subarray(at, stop);
      }
      this.#step(bytes[at] as number);
      at++;
    }
    this.at = at;
    return undefined;
  }

  #step(got: number): void {
    switch (this.#state) {
      case size:
        this.#inSize(got);
        return;
      case extension:
        if (got === byte.cr) this.#state = sizeLf;
        else if (valueBytes[got] !== 1 || ++this.#extensions > maxExtensions)
          throw new RequestError('ERR_HTTP_CHUNK_EXTENSION');
        return;
      case sizeLf:
        if (got !== byte.lf) throw new RequestError('ERR_HTTP_LINE_END');
        this.#state = this.#left === 0 ? done : data;
        this.#digits = 0;
        return;
      case dataCr:
        if (got !== byte.cr) throw new RequestError('ERR_HTTP_CHUNK_END');
        this.#state = dataLf;
        return;
      default: // dataLf
        if (got !== byte.lf) throw new RequestError('ERR_HTTP_CHUNK_END');
        this.#state = size;
    }
  }

  #inSize(got: number): void {
    const digit = hexDigits[got] as number;
    if (digit < 16 && this.#digits < maxDigits) {
      this.#left = this.#left * 16 + digit;
      this.#digits++;
      return;
    }
    if (this.#digits === 0 || digit < 16) throw new RequestError('ERR_HTTP_CHUNK_SIZE');
    if (got === byte.cr) this.#state = sizeLf;
    else if (got === byte.semicolon) this.#state = extension;
    else throw new RequestError(got === byte.lf ? 'ERR_HTTP_LINE_END' : 'ERR_HTTP_CHUNK_SIZE');
    this.#total += this.#left;
    if (this.#total > this.#limits.maxBodySize) throw new RequestError('ERR_HTTP_BODY_SIZE');
  }
}
