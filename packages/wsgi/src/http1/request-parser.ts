/**
 * Bytes of a connection in, requests out, without any I/O.
 *
 * The caller pushes what came and pulls events until there are none:
 *
 *     state      next() gives                                  and goes to
 *     ---------  --------------------------------------------  ----------------------------------
 *     head       a RequestHead                                 length, chunks, or over (no body)
 *     length     a Buffer of body                              length, over
 *     chunks     a Buffer of body                              chunks, trailer
 *     trailer    nothing                                       over
 *     over       `end`, once                                   rest
 *     rest       nothing, until nextRequest()                  head
 *     refused    throws the same error again                   refused
 *
 * Pipelined bytes wait here, and cannot become the body of the request before them.
 */
import { ChunkScanner } from './chunk-scanner.js';
import { fieldName } from './field-names.js';
import { HeadScanner } from './head-scanner.js';
import type { Limits } from './limits.js';
import { RequestError } from './request-error.js';
import { type RequestHead, readHead } from './request-head.js';

/** The body of a request is over. */
export const end = Symbol('end of the body');

export type RequestEvent = RequestHead | Buffer | typeof end;

type State = 'head' | 'length' | 'chunks' | 'trailer' | 'over' | 'rest' | 'refused';

const nothing = Buffer.alloc(0);

/** How much of a request line is told of when it is refused. */
const longestLine = 2048;

export class RequestParser {
  readonly #limits: Limits;
  readonly #scanner: HeadScanner;
  #chunks: ChunkScanner | undefined = undefined;
  #state: State = 'head';
  /** Body bytes still to come, when the length is known. */
  #left = 0;
  #error: RequestError | undefined = undefined;
  #refusedLine = '';

  #bytes: Buffer = nothing;
  #at = 0;
  #end = 0;
  /** `#bytes` is ours: it has room behind `#end` that nobody has seen. */
  #owned = false;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#scanner = new HeadScanner(limits);
    this.#scanner.reset();
  }

  /** Bytes that wait to be looked at, or for the rest of their head. */
  get buffered(): number {
    return this.#end - this.#at;
  }

  /** Between requests, and nothing of the next one has come. */
  get idle(): boolean {
    return this.#state === 'head' && this.#end === this.#at;
  }

  /** What there is of the line of a request whose head is not whole, or refused. */
  get requestLine(): string {
    if (this.#error) return this.#refusedLine;
    const stop = Math.min(this.#end, this.#at + longestLine);
    const text = this.#bytes.toString('latin1', this.#at, stop);
    return /[^\r\n]+/.exec(text)?.[0] ?? '';
  }

  push(chunk: Buffer): void {
    const left = this.#end - this.#at;
    if (left === 0) {
      this.#bytes = chunk;
      this.#at = 0;
      this.#end = chunk.length;
      this.#owned = false;
      return;
    }
    // Bytes that were given out lie before `#at`, and are never written to again.
    if (!this.#owned || this.#end + chunk.length > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(512, 2 * (left + chunk.length)));
      this.#bytes.copy(grown, 0, this.#at, this.#end);
      this.#bytes = grown;
      this.#at = 0;
      this.#end = left;
      this.#owned = true;
    }
    chunk.copy(this.#bytes, this.#end);
    this.#end += chunk.length;
  }

  /** The request is dealt with: its body is over, and the next one may come. */
  nextRequest(): void {
    if (this.#state === 'rest') this.#state = 'head';
  }

  /** What comes next, if it is there. @throws RequestError */
  next(): RequestEvent | undefined {
    if (this.#error) throw this.#error;
    try {
      return this.#next();
    } catch (error) {
      if (error instanceof RequestError) {
        if (this.#state === 'head') this.#refusedLine = this.requestLine;
        this.#state = 'refused';
        this.#error = error;
        this.#forget();
      }
      throw error;
    }
  }

  #next(): RequestEvent | undefined {
    switch (this.#state) {
      case 'head':
        return this.#end > this.#at ? this.#head() : undefined;
      case 'length':
        return this.#end > this.#at ? this.#piece() : undefined;
      case 'chunks':
        return this.#chunk();
      case 'trailer':
        return this.#trailer();
      case 'over':
        this.#state = 'rest';
        return end;
      default:
        return undefined;
    }
  }

  #head(): RequestHead | undefined {
    const size = this.#scanner.scan(this.#bytes, this.#at, this.#end);
    if (size === 0) return undefined;
    const head = readHead(this.#scanner, this.#bytes, this.#at, size, this.#limits);
    this.#scanner.reset();
    this.#take(size);
    this.#left = head.contentLength ?? 0;
    if (head.contentLength === undefined) {
      this.#chunks ??= new ChunkScanner(this.#limits);
      this.#chunks.reset();
      this.#state = 'chunks';
    } else {
      this.#state = this.#left > 0 ? 'length' : 'over';
    }
    return head;
  }

  #piece(): Buffer {
    const stop = Math.min(this.#end, this.#at + this.#left);
    const piece = this.#bytes.subarray(this.#at, stop);
    this.#left -= piece.length;
    this.#take(piece.length);
    if (this.#left === 0) this.#state = 'over';
    return piece;
  }

  #chunk(): RequestEvent | undefined {
    const chunks = this.#chunks as ChunkScanner;
    const from = this.#at;
    const piece = chunks.scan(this.#bytes, from, this.#end);
    this.#take(chunks.at - from);
    if (piece) return piece;
    if (!chunks.done) return undefined;
    this.#state = 'trailer';
    this.#scanner.resetToTrailer();
    return this.#trailer();
  }

  // Trailers are checked and dropped, as RFC 9110, 6.5.1 allows: an application could not tell them
  // from headers, which is how they are misused.
  #trailer(): typeof end | undefined {
    const { fields } = this.#scanner;
    const size = this.#scanner.scan(this.#bytes, this.#at, this.#end);
    if (size === 0) return undefined;
    for (let i = 0; i < this.#scanner.fieldCount; i++) {
      const from = this.#at + (fields[i * 4] as number);
      const to = this.#at + (fields[i * 4 + 1] as number);
      if (fieldName(this.#bytes, from, to).inHeadOnly) throw new RequestError('ERR_HTTP_TRAILER');
    }
    this.#scanner.reset();
    this.#take(size);
    this.#state = 'rest';
    return end;
  }

  #take(count: number): void {
    this.#at += count;
    // Not to hold what Node has read it into.
    if (this.#at === this.#end) this.#forget();
  }

  #forget(): void {
    this.#bytes = nothing;
    this.#at = this.#end = 0;
    this.#owned = false;
  }

  /** Takes out what has not been looked at, for a protocol that goes on in place of HTTP. */
  takeRest(): Buffer {
    const rest = this.#bytes.subarray(this.#at, this.#end);
    this.#forget();
    return rest;
  }

  /**
   * Nothing more comes.
   * @returns what was cut off: a head, a body, or nothing
   */
  finish(): 'head' | 'body' | undefined {
    if (this.#state === 'head') return this.#end > this.#at ? 'head' : undefined;
    return this.#state === 'rest' || this.#state === 'refused' ? undefined : 'body';
  }
}
