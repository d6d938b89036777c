/**
 * Takes chunked bodies apart (RFC 9112, 7.1), by the same method as the head scanner.
 *
 *     state        on            goes to        remark
 *     -----------  ------------  -------------  ------------------------------------------------
 *     size         hex digit     size           at most 13 digits
 *                  ;             extName        not at once: a size has a digit
 *                  CR            sizeLf         not at once
 *     extName      token         extName        extensions have at most 4,096 bytes in a body
 *                  =             extValue       not at once
 *                  ;             extName        not at once
 *                  CR            sizeLf         not at once
 *     extValue     token         extValue
 *                  "             extQuoted      only at once
 *                  ;             extName        not at once
 *                  CR            sizeLf         not at once
 *     extQuoted    value byte    extQuoted
 *                  \             extEscaped
 *                  "             extEnd
 *     extEscaped   value byte    extQuoted
 *     extEnd       ;             extName
 *                  CR            sizeLf
 *     sizeLf       LF            data, or done if the size was 0: trailers follow
 *     data         any           data           given out in the pieces in which it came
 *     dataCr       CR            dataLf
 *     dataLf       LF            size
 */
import { byte, hexDigits, tokenBytes, valueBytes } from './characters.js';
import type { Limits } from './limits.js';
import { RequestError } from './request-error.js';

const size = 0;
const sizeLf = 1;
const data = 2;
const dataCr = 3;
const dataLf = 4;
const done = 5;
const extName = 6;
const extValue = 7;
const extQuoted = 8;
const extEscaped = 9;
const extEnd = 10;

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
  #part = 0;
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
      case sizeLf:
        if (got !== byte.lf) throw new RequestError('ERR_HTTP_LINE_END');
        this.#state = this.#left === 0 ? done : data;
        this.#digits = 0;
        return;
      case dataCr:
        if (got !== byte.cr) throw new RequestError('ERR_HTTP_CHUNK_END');
        this.#state = dataLf;
        return;
      case dataLf:
        if (got !== byte.lf) throw new RequestError('ERR_HTTP_CHUNK_END');
        this.#state = size;
        return;
      default:
        this.#state = this.#inExtension(got);
    }
  }

  /** The state after a byte of an extension. `#part` counts the bytes of its name or value so far. */
  #inExtension(got: number): number {
    if (++this.#extensions > maxExtensions) throw new RequestError('ERR_HTTP_CHUNK_EXTENSION');
    const state = this.#state;
    const first = this.#part++ === 0;
    if (state === extQuoted || state === extEscaped) {
      if (valueBytes[got] !== 1) throw new RequestError('ERR_HTTP_CHUNK_EXTENSION');
      if (state === extEscaped) return extQuoted;
      return got === byte.backslash ? extEscaped : got === byte.quote ? extEnd : extQuoted;
    }
    if (state !== extEnd) {
      if (tokenBytes[got] === 1) return state;
      if (state === extValue && first && got === byte.quote) return extQuoted;
      if (first) throw new RequestError('ERR_HTTP_CHUNK_EXTENSION');
    }
    this.#part = 0;
    if (got === byte.semicolon) return extName;
    if (got === byte.equals && state === extName) return extValue;
    if (got === byte.cr) return sizeLf;
    throw new RequestError('ERR_HTTP_CHUNK_EXTENSION');
  }

  #beginExtension(): void {
    this.#state = extName;
    this.#part = 0;
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
    else if (got === byte.semicolon) this.#beginExtension();
    else throw new RequestError(got === byte.lf ? 'ERR_HTTP_LINE_END' : 'ERR_HTTP_CHUNK_SIZE');
    this.#total += this.#left;
    if (this.#total > this.#limits.maxBodySize) throw new RequestError('ERR_HTTP_BODY_SIZE');
  }
}
