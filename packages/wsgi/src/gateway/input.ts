/** `wsgi.input`: the body of a request, read by calls that park. */
import { ConcurrentUseError, park, type Resume } from '@tendril/core';
import { ByteQueue } from '@tendril/core/socket';
import { SmallPieces, smallest } from './small-pieces.js';

/** Where a body comes from. */
export interface BodySource {
  /** Somebody waits: says so to the client if it wants to hear it, and reads on. */
  wantBody(): void;
  /** There is room again. */
  readOn(): void;
}

const lineFeed = Buffer.from('\n');

/** The bytes of one body. Reads return Buffers, empty at its end (PEP 3333, "Input and Error Streams"). */
export class Input implements Iterable<Buffer> {
  readonly #source: BodySource | undefined;
  readonly #bytes = new ByteQueue();
  /** What came last, if it came in small pieces; behind all of `#bytes`. */
  #small: SmallPieces | undefined = undefined;
  #ended: boolean;
  #error: Error | undefined = undefined;
  #waiting: Resume<void> | undefined = undefined;

  /** For the server. Without a source: the body is empty. */
  constructor(source?: BodySource) {
    this.#source = source;
    this.#ended = source === undefined;
  }

  /** Bytes that have come and are not read yet. */
  get buffered(): number {
    return this.#bytes.size + (this.#small?.size ?? 0);
  }
  /** Nothing more comes. */
  get ended(): boolean {
    return this.#ended;
  }

  /** For the server: bytes have come. */
  push(chunk: Buffer): void {
    // The first is likely to be read before the next one comes.
    if (this.#bytes.size === 0 || chunk.length >= smallest) {
      this.#settle();
      this.#bytes.push(chunk);
    } else {
      this.#small ??= new SmallPieces();
      if (!this.#small.add(chunk)) {
        this.#settle();
        this.#small.add(chunk);
      }
    }
    this.#wake();
  }
  /** For the server: that was all. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }
  /** For the server: nothing more comes, and something is missing. */
  fail(error: Error): void {
    this.#error ??= error;
    this.#wake();
  }

  /** Puts small pieces where reads look for bytes. */
  #settle(): void {
    if (this.#small && this.#small.size > 0) this.#bytes.push(this.#small.take());
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }

  /** Parks until there is more than there was. False at the end. */
  #more(): boolean {
    if (this.#ended) return false;
    if (this.#error) throw this.#error;
    if (this.#waiting) throw new ConcurrentUseError('The body of this request');
    this.#source?.wantBody();
    park<void>((resume) => {
      this.#waiting = resume;
      return () => {
        this.#waiting = undefined;
      };
    });
    if (this.#error) throw this.#error;
    return true;
  }

  #taken(bytes: Buffer): Buffer {
    if (!this.#ended) this.#source?.readOn();
    return bytes;
  }

  /**
   * Exactly `size` bytes, fewer only at the end; all of the body without a size.
   * @throws RequestError if the body is refused or cut off; ConcurrentUseError
   */
  read(size = Number.POSITIVE_INFINITY): Buffer {
    const wanted = size < 0 ? Number.POSITIVE_INFINITY : size;
    while (this.buffered < wanted && this.#more()) {
      // until it is there
    }
    this.#settle();
    return this.#taken(this.#bytes.take(Math.min(wanted, this.#bytes.size)));
  }

  /** Some bytes: what has come, at most `size`, parking while there are none. Empty at the end. */
  readSome(size = 65_536): Buffer {
    if (this.buffered === 0) this.#more();
    this.#settle();
    return this.#taken(this.#bytes.takeSome(size));
  }

  /** A line with its LF, or what there is of it after `limit` bytes or at the end. */
  readline(limit = Number.POSITIVE_INFINITY): Buffer {
    const max = limit < 0 ? Number.POSITIVE_INFINITY : limit;
    let searched = 0;
    for (;;) {
      this.#settle();
      const at = this.#bytes.indexOf(lineFeed, searched);
      if (at >= 0) return this.#taken(this.#bytes.take(Math.min(at + 1, max)));
      searched = this.#bytes.size;
      if (searched >= max || !this.#more())
        return this.#taken(this.#bytes.take(Math.min(max, this.#bytes.size)));
    }
  }

  /** Lines, until about `hint` bytes are read; all without a hint. */
  readlines(hint = Number.POSITIVE_INFINITY): Buffer[] {
    const lines: Buffer[] = [];
    let total = 0;
    for (const line of this) {
      lines.push(line);
      total += line.length;
      if (hint > 0 && total >= hint) break;
    }
    return lines;
  }

  /** Lines. */
  *[Symbol.iterator](): Generator<Buffer, void, undefined> {
    for (let line = this.readline(); line.length > 0; line = this.readline()) yield line;
  }
}

/** For requests without a body. */
export const noInput = new Input();
