/**
 * Finds the parts of a request head in bytes, one byte after the other (RFC 9112, 2 to 5).
 *
 * The state is where the next byte belongs, and the table below is all there is to it. A byte that is
 * not in a state's row is refused. Scanning stops where the bytes stop and goes on there with more, so
 * it makes no difference how the bytes were cut.
 *
 *     state        on            goes to        remark
 *     -----------  ------------  -------------  -------------------------------------------------
 *     start        CR            startLf        one empty line before a request (RFC 9112, 2.2)
 *                  token         method
 *     startLf      LF            method
 *     method       token         method         at most 24 bytes, then 501
 *                  SP            target         not at once: a method has a byte
 *     target       visible, no # target
 *                  SP            version        not at once
 *     version      HTTP/1.0|1.1  version        eight bytes, compared at the line's end
 *                  CR            requestLf
 *     requestLf    LF            name           the end of the request line
 *     name         token         name
 *                  :             padding        not at once: a name has a byte
 *                  CR            endLf          only at once: the empty line
 *     padding      SP, HTAB      padding
 *                  CR            fieldLf        an empty value
 *                  other value   value
 *     value        value byte    value          trailing SP and HTAB are cut off
 *                  CR            fieldLf
 *     fieldLf      LF            name
 *     endLf        LF            done
 *
 * A trailer section is the same from `name` on.
 */
import { byte, targetBytes, tokenBytes, valueBytes } from './characters.js';
import type { Limits } from './limits.js';
import { type RefusalCode, RequestError } from './request-error.js';

const start = 0;
const startLf = 1;
const method = 2;
const target = 3;
const version = 4;
const requestLf = 5;
const name = 6;
const padding = 7;
const value = 8;
const fieldLf = 9;
const endLf = 10;

const maxMethod = 24;
/** CR LF */
const lineEnd = 2;

/** `HTTP/1.` and a digit. */
const versionPrefix = Buffer.from('HTTP/1.');

function refuse(code: RefusalCode): never {
  throw new RequestError(code);
}

export class HeadScanner {
  readonly #limits: Limits;
  #state = start;
  /** Where the next byte is, counted from the first byte of the head. */
  #at = 0;
  /** Where the part begins in which the scanner is. */
  #mark = 0;
  /** Where the request line is over at the latest, and after it the header section. */
  #limit = 0;

  methodStart = 0;
  methodEnd = 0;
  targetEnd = 0;
  /** The digit after `HTTP/1.`. */
  minor = 1;
  fieldCount = 0;
  /** Four offsets for each field: the name's start and end, the value's start and end. */
  readonly fields: number[] = [];

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get targetStart(): number {
    return this.methodEnd + 1;
  }

  /** Nothing of a head has come yet. */
  get untouched(): boolean {
    return this.#at === 0;
  }

  /** Gets ready for a head. */
  reset(): void {
    this.#state = start;
    this.#at = this.#mark = this.fieldCount = 0;
    this.#limit = this.#limits.maxRequestLine + lineEnd;
  }

  /** Gets ready for a trailer section, which begins at offset 0. */
  resetToTrailer(): void {
    this.#state = name;
    this.#at = this.#mark = this.fieldCount = 0;
    this.#limit = this.#limits.maxHeaderSize + lineEnd;
  }

  /**
   * Goes on through `bytes`, where the head begins at `base`, up to `end`.
   * @returns how many bytes the whole head has; 0 if it is not all there
   * @throws RequestError
   */
  scan(bytes: Buffer, base: number, end: number): number {
    let at = base + this.#at;
    let state = this.#state;
    let mark = base + this.#mark;
    // Bytes beyond the limit are not looked at: whoever gets there refuses.
    let stop = Math.min(end, base + this.#limit);
    const { fields } = this;
    for (;;) {
      if (at >= stop) {
        if (at >= base + this.#limit)
          refuse(state <= requestLf ? 'ERR_HTTP_REQUEST_LINE' : 'ERR_HTTP_HEADER_SIZE');
        break;
      }
      const got = bytes[at] as number;
      switch (state) {
        case value: {
          let next = at;
          while (next < stop && valueBytes[bytes[next] as number] === 1) next++;
          at = next;
          if (at >= stop) continue;
          if (bytes[at] !== byte.cr)
            refuse(bytes[at] === byte.lf ? 'ERR_HTTP_LINE_END' : 'ERR_HTTP_HEADER_VALUE');
          let last = at;
          while (isBlank(bytes[last - 1] as number)) last--;
          fields[this.fieldCount * 4 - 1] = last - base;
          state = fieldLf;
          break;
        }
        case name: {
          let next = at;
          while (next < stop && tokenBytes[bytes[next] as number] === 1) next++;
          at = next;
          if (at >= stop) continue;
          const after = bytes[at] as number;
          if (after === byte.colon && at > mark) {
            if (this.fieldCount >= this.#limits.maxHeadersCount) refuse('ERR_HTTP_HEADER_COUNT');
            const place = this.fieldCount++ * 4;
            fields[place] = mark - base;
            fields[place + 1] = at - base;
            state = padding;
          } else if (after === byte.cr && at === mark) {
            state = endLf;
          } else {
            refuse(
              isBlank(after)
                ? at === mark
                  ? 'ERR_HTTP_HEADER_FOLD'
                  : 'ERR_HTTP_HEADER_SPACE'
                : after === byte.lf
                  ? 'ERR_HTTP_LINE_END'
                  : 'ERR_HTTP_HEADER_NAME',
            );
          }
          break;
        }
        case padding: {
          if (isBlank(got)) break;
          const place = this.fieldCount * 4 - 2;
          fields[place] = fields[place + 1] = at - base;
          if (got === byte.cr) state = fieldLf;
          else {
            state = value;
            continue; // the value state looks at this byte
          }
          break;
        }
        case fieldLf:
          if (got !== byte.lf) refuse('ERR_HTTP_LINE_END');
          state = name;
          mark = at + 1;
          break;
        case requestLf:
          if (got !== byte.lf) refuse('ERR_HTTP_LINE_END');
          state = name;
          mark = at + 1;
          this.#limit = mark - base + this.#limits.maxHeaderSize + lineEnd;
          stop = Math.min(end, base + this.#limit);
          break;
        case method:
          if (tokenBytes[got] === 1) {
            if (at - mark >= maxMethod) refuse('ERR_HTTP_METHOD_LONG');
            break;
          }
          if (got !== byte.space || at === mark) refuse('ERR_HTTP_METHOD');
          this.methodStart = mark - base;
          this.methodEnd = at - base;
          state = target;
          mark = at + 1;
          break;
        case target: {
          let next = at;
          while (next < stop && targetBytes[bytes[next] as number] === 1) next++;
          at = next;
          if (at >= stop) continue;
          // Without a version this is HTTP/0.9.
          if (bytes[at] !== byte.space)
            refuse(bytes[at] === byte.cr ? 'ERR_HTTP_VERSION' : 'ERR_HTTP_TARGET');
          if (at === mark) refuse('ERR_HTTP_TARGET');
          this.targetEnd = at - base;
          state = version;
          mark = at + 1;
          break;
        }
        case version: {
          const place = at - mark;
          if (place < 7) {
            if (got !== versionPrefix[place]) refuse('ERR_HTTP_VERSION');
          } else if (place === 7) {
            if (got !== 0x30 && got !== 0x31) refuse('ERR_HTTP_VERSION');
            this.minor = got - 0x30;
          } else if (got === byte.cr) {
            state = requestLf;
          } else {
            refuse(got === byte.lf ? 'ERR_HTTP_LINE_END' : 'ERR_HTTP_VERSION');
          }
          break;
        }
        case start:
          state = got === byte.cr ? startLf : method;
          if (state === method) continue;
          break;
        case startLf:
          if (got !== byte.lf) refuse('ERR_HTTP_METHOD');
          state = method;
          mark = at + 1;
          break;
        default: // endLf
          if (got !== byte.lf) refuse('ERR_HTTP_LINE_END');
          return at + 1 - base;
      }
      at++;
    }
    this.#state = state;
    this.#at = at - base;
    this.#mark = mark - base;
    return 0;
  }
}

function isBlank(got: number): boolean {
  return got === byte.space || got === byte.tab;
}
