/** Exchange: one request and its response, on the greenlet that runs the application. */
import { isUint8Array } from 'node:util/types';
import { isExit } from '@tendril/core';
import type { Socket } from '@tendril/core/socket';
import { ClientGoneError, ResponseError } from '../errors.js';
import { RequestError } from '../http1/request-error.js';
import type { RequestHead } from '../http1/request-head.js';
import { type Framing, type Header, ResponseHead, statusText } from '../http1/response-head.js';
import type { Input } from './input.js';
import type { Application, Body, Environ, Write } from './types.js';

/** The connection, as an exchange sees it. */
export interface Transport {
  /** Sends text as latin1, or bytes. Parks while the client takes nothing. @throws ClientGoneError, SendTimeoutError */
  send(data: string | Uint8Array): void;
  /** Sends the last of a response: like `send`, and never parks. */
  sendLast(data: string | Uint8Array): void;
  /** Holds what is sent back until `uncork`, to send it in one piece. */
  cork(): void;
  uncork(): void;
  /** No request after this one will be taken from the connection. */
  readonly lastRequest: boolean;
  /** The header line that says how long the connection stays open; empty for no limit. */
  readonly keepAliveField: string;
  /** Gives the bare connection away. */
  takeOver(): Socket;
}

/** Pieces up to this many bytes are copied behind their head, in place of a second write. */
const copyLimit = 16 * 1024;

type Piece = string | Uint8Array;

function byteLength(piece: Piece): number {
  if (typeof piece === 'string') return Buffer.byteLength(piece);
  // The second for bytes of another realm, a vm context's or a test runner's.
  if (piece instanceof Uint8Array || isUint8Array(piece)) return (piece as Uint8Array).length;
  throw new ResponseError('ERR_WSGI_BODY_TYPE', typeof piece);
}

/** `head`, latin1 text, and `piece`, UTF-8 or bytes, as one. */
function joined(head: string, piece: Piece, length: number): string | Uint8Array {
  // As many bytes as characters: UTF-8 and latin1 are the same here.
  if (typeof piece === 'string' && piece.length === length) return head + piece;
  const bytes = Buffer.allocUnsafe(head.length + length);
  bytes.write(head, 'latin1');
  if (typeof piece === 'string') bytes.write(piece, head.length, 'utf8');
  else bytes.set(piece, head.length);
  return bytes;
}

export class Exchange {
  readonly request: RequestHead;
  readonly input: Input;
  /** The error that the application ended with, a refusal of the request's body included. */
  error: unknown = undefined;
  /** Bytes of body that have been sent. */
  sent = 0;
  /** The response has gone out whole. */
  complete = false;
  /** And the connection can be used again. */
  reusable = false;
  /** The application has taken the connection over. */
  upgraded: Socket | undefined = undefined;
  /** The client's address as the application saw it at the end. */
  remoteAddress: string | undefined = undefined;

  readonly #transport: Transport;
  #head: ResponseHead | undefined = undefined;
  /** How the body is framed; undefined until the head goes out. */
  #framing: Framing | undefined = undefined;
  #keepAlive = false;

  constructor(transport: Transport, request: RequestHead, input: Input) {
    this.#transport = transport;
    this.request = request;
    this.input = input;
  }

  /** The status of the response, as far as it is known; 0 before, 101 when it has been taken over. */
  get status(): number {
    return this.upgraded ? 101 : (this.#head?.code ?? 0);
  }
  /** The head of the response has gone out. */
  get begun(): boolean {
    return this.#framing !== undefined;
  }

  /** Runs `app` and sends its response. Never throws; a failure is in `error`. */
  run(app: Application, environ: Environ): void {
    if (this.request.upgrade !== undefined) environ['tendril.upgrade'] = () => this.#takeOver();
    let body: Body | undefined;
    try {
      body = app(environ, this.startResponse);
      if (!this.upgraded) this.#respond(body);
    } catch (error) {
      this.#fail(error);
    }
    try {
      body?.close?.();
    } catch (error) {
      this.error ??= error;
    }
  }

  #respond(body: Body): void {
    if (Array.isArray(body) && body.length === 1) {
      if (this.#framing === undefined) this.#respondWhole(body[0]);
      else this.#write(body[0]);
    } else {
      if (typeof (body as Partial<Body> | undefined)?.[Symbol.iterator] !== 'function')
        throw new ResponseError('ERR_WSGI_APP', typeof body);
      // A string is an iterable of its characters, which nobody means.
      const pieces = typeof body === 'string' ? [body as string] : body;
      for (const piece of pieces) {
        this.#write(piece);
        // The head has gone out, and nothing follows it: an endless body would be made for nobody.
        if (this.#framing === 'none') break;
      }
    }
    this.#end();
  }

  // The common response, of one piece: its length is known, and head and body go out together.
  #respondWhole(piece: Piece): void {
    const head = this.#startedHead();
    const length = byteLength(piece);
    if (head.length !== undefined && length > head.length && !head.bodiless(this.request.method))
      this.#tooLong(head);
    const text = this.#begin(head, length);
    if (this.#framing !== 'length') {
      this.#transport.sendLast(text);
      return;
    }
    this.sent = length;
    if (length <= copyLimit || (typeof piece === 'string' && piece.length === length)) {
      this.#transport.sendLast(joined(text, piece, length));
      return;
    }
    this.#transport.cork();
    this.#transport.sendLast(text);
    this.#transport.sendLast(typeof piece === 'string' ? Buffer.from(piece) : piece);
    this.#transport.uncork();
  }

  #startedHead(): ResponseHead {
    if (!this.#head) throw new ResponseError('ERR_WSGI_NOT_STARTED');
    return this.#head;
  }

  #begin(head: ResponseHead, known: number | undefined): string {
    const { method, minor, keepAlive } = this.request;
    const framing = head.framing(method, minor, known);
    this.#framing = framing;
    this.#keepAlive =
      keepAlive && !head.close && framing !== 'close' && !this.#transport.lastRequest;
    const kept = this.#keepAlive ? this.#transport.keepAliveField : undefined;
    return head.serialise(framing, minor, kept);
  }

  readonly startResponse = (status: string, headers: Iterable<Header>, error?: unknown): Write => {
    if (error !== undefined && error !== null) {
      if (this.#framing !== undefined) throw error;
    } else if (this.#head) {
      throw new ResponseError('ERR_WSGI_STARTED');
    }
    this.#head = new ResponseHead(status, headers);
    return (data) => this.#write(data);
  };

  #write(piece: Piece): void {
    const head = this.#startedHead();
    const length = byteLength(piece);
    // An empty piece sends nothing, not even the head: what comes may still change it.
    if (length === 0) return;
    const text = this.#framing === undefined ? this.#begin(head, undefined) : '';
    if (this.#framing === 'none') {
      if (text) this.#transport.send(text);
      return;
    }
    if (this.#framing === 'length' && this.sent + length > (head.length as number))
      this.#tooLong(head);
    this.sent += length;
    if (this.#framing === 'chunked') this.#sendChunk(text, piece, length);
    else this.#sendPiece(text, piece, length);
  }

  #sendChunk(before: string, piece: Piece, length: number): void {
    const opening = `${before}${length.toString(16)}\r\n`;
    if (typeof piece === 'string' && piece.length === length) {
      this.#transport.send(`${opening}${piece}\r\n`);
      return;
    }
    this.#transport.cork();
    try {
      this.#transport.sendLast(opening);
      this.#transport.sendLast(typeof piece === 'string' ? Buffer.from(piece) : piece);
      this.#transport.send('\r\n');
    } finally {
      this.#transport.uncork();
    }
  }

  #sendPiece(before: string, piece: Piece, length: number): void {
    if (before === '' && typeof piece !== 'string') this.#transport.send(piece);
    else this.#transport.send(joined(before, piece, length));
  }

  #tooLong(head: ResponseHead): never {
    throw new ResponseError('ERR_WSGI_BODY_LONG', head.length);
  }

  #end(): void {
    if (this.#framing === undefined) {
      const head = this.#startedHead();
      this.#transport.sendLast(this.#begin(head, 0));
    } else if (this.#framing === 'chunked') {
      this.#transport.sendLast('0\r\n\r\n');
    }
    const missing = this.#framing === 'length' ? (this.#head?.length as number) - this.sent : 0;
    if (missing > 0) throw new ResponseError('ERR_WSGI_BODY_SHORT', `${missing} bytes`);
    this.complete = true;
    this.reusable = this.#keepAlive;
  }

  // What has gone out cannot be taken back: then the connection breaks off, and the client sees that
  // the response is not whole.
  #fail(error: unknown): void {
    this.error = error;
    this.reusable = false;
    if (this.begun || this.upgraded || error instanceof ClientGoneError) return;
    try {
      this.refuse(error instanceof RequestError ? error.status : isExit(error) ? 503 : 500);
    } catch (gone) {
      if (!(gone instanceof ClientGoneError)) throw gone;
    }
  }

  /** Answers with a plain page in place of what the application would have said. */
  refuse(code: number): void {
    const text = `${statusText(code)}\n`;
    this.#head = new ResponseHead(statusText(code), [
      ['Content-Type', 'text/plain; charset=utf-8'],
      ['Connection', 'close'],
    ]);
    const opening = this.#begin(this.#head, text.length);
    const isBody = this.#framing === 'length';
    this.sent = isBody ? text.length : 0;
    this.#transport.sendLast(isBody ? opening + text : opening);
    this.complete = true;
  }

  #takeOver(): Socket {
    if (this.begun) throw new ResponseError('ERR_WSGI_UPGRADE', 'the response has begun');
    if (this.upgraded) throw new ResponseError('ERR_WSGI_UPGRADE', 'it has been taken over');
    this.upgraded = this.#transport.takeOver();
    return this.upgraded;
  }
}
