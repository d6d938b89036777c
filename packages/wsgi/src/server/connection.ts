/**
 * Connection: one client, between a stream of Node's and the requests that come through it.
 *
 * It has a greenlet only while a request is served. An idle or slow connection is this object, its
 * parser and its stream.
 * See phase.ts for what it goes through.
 */
import type { Socket as NetSocket } from 'node:net';
import { type Greenlet, getCurrent } from '@tendril/core';
import { Socket } from '@tendril/core/socket';
import { ClientGoneError, ResponseError, SendTimeoutError } from '../errors.js';
import { type Peer, peerOf } from '../gateway/environ.js';
import { Exchange, type Transport } from '../gateway/exchange.js';
import { type BodySource, Input, noInput } from '../gateway/input.js';
import { refusedHead } from '../http1/refused-head.js';
import { type RefusalCode, RequestError } from '../http1/request-error.js';
import type { RequestHead } from '../http1/request-head.js';
import { end, RequestParser } from '../http1/request-parser.js';
import type { ConnectionHost } from './connection-host.js';
import { Output } from './output.js';
import type { Phase } from './phase.js';
import { looks } from './send-progress.js';
import { follow, type StreamEvents, unfollow } from './stream-events.js';

/** Unread bytes at which the client has to wait. */
const highWater = 64 * 1024;
/** How much of an unread body is thrown away to keep a connection. */
const maxDrain = 256 * 1024;
/** How long a client that takes nothing may stay after we have ended, in milliseconds: RFC 9112, 9.6. */
const lingerTime = 2_000;

const continueLine = 'HTTP/1.1 100 Continue\r\n\r\n';

export class Connection implements Transport, BodySource, StreamEvents {
  readonly peer: Peer;
  /** When the phase is over at the latest, by the server's clock. */
  deadline = Number.POSITIVE_INFINITY;
  readonly #host: ConnectionHost;
  readonly #stream: NetSocket;
  readonly #output: Output;
  readonly #parser: RequestParser;
  #phase: Phase = 'head';
  #exchange: Exchange | undefined = undefined;
  #greenlet: Greenlet | undefined = undefined;
  #requestDeadline = Number.POSITIVE_INFINITY;
  #bodyOver = true;
  #continued = false;
  #paused = false;
  /** The client has ended its side. */
  #halfClosed = false;
  /** The client has gone, as far as its request is concerned. */
  #left = false;
  /** What broke the connection. Errors are dear, and most clients go without one. */
  #gone: Error | undefined = undefined;
  #drained = 0;

  constructor(host: ConnectionHost, stream: NetSocket, encrypted: boolean) {
    this.#host = host;
    this.#stream = stream;
    this.peer = peerOf(stream, encrypted, host.settings.requestCert);
    this.#output = new Output(stream, this.peer.port !== '' && !encrypted);
    this.#parser = new RequestParser(host.settings.limits);
    follow(stream, this);
    this.#limit(host.settings.headersTimeout);
    this.#requestDeadline = host.now + host.settings.requestTimeout;
    stream.resume();
  }

  /** The client has gone, or is as good as gone. */
  get gone(): boolean {
    return this.#phase === 'closed' || this.#left || this.#gone !== undefined;
  }

  // ------------------------------------------------------------------- the clock

  #limit(ms: number): void {
    this.deadline = this.#host.now + ms;
  }

  #enter(phase: Phase, ms = Number.POSITIVE_INFINITY): void {
    this.#phase = phase;
    this.#limit(ms);
  }

  /** The time of the phase is up. */
  expire(): void {
    switch (this.#phase) {
      case 'head':
        if (this.#parser.buffered > 0) this.#refuse(new RequestError('ERR_HTTP_HEAD_TIMEOUT'));
        else this.destroy();
        return;
      case 'body':
        this.#enter('serving');
        this.#failInput('ERR_HTTP_BODY_TIMEOUT');
        return;
      case 'sending':
      case 'flushing':
      case 'ending':
      case 'lingering':
        this.#checkProgress();
        return;
      case 'idle':
        this.#linger();
        return;
      default:
        this.destroy();
    }
  }

  #enterSending(phase: 'sending' | 'flushing' | 'ending'): void {
    this.#enter(phase, this.#output.watch(this.#host.settings.sendTimeout));
  }

  #enterLingering(): void {
    this.#enter('lingering', this.#output.watch(lingerTime));
  }

  #checkProgress(): void {
    const { sendTimeout } = this.#host.settings;
    const lingers = this.#phase === 'lingering';
    if (!this.#output.stalled) {
      this.#limit((lingers ? lingerTime : sendTimeout) / looks);
      return;
    }
    if (this.#phase === 'sending') {
      this.#enter('serving');
      this.#gone = new SendTimeoutError(sendTimeout);
    }
    if (lingers) this.destroy();
    else this.#output.reset();
  }

  // -------------------------------------------------------------------- reading

  received(chunk: Buffer): void {
    if (this.#phase === 'ending' || this.#phase === 'lingering') return;
    this.#parser.push(chunk);
    // Who does not take one response cannot have the next one made.
    if (!this.#exchange && this.#phase !== 'flushing') this.#advance();
    else if (this.#exchange && !this.#bodyOver) this.#feed();
    else if (this.#parser.buffered >= highWater) this.#pause();
  }

  /** Takes the next head, if it is there. */
  #advance(): void {
    let head: RequestHead;
    try {
      const event = this.#parser.next();
      if (event === undefined) {
        this.#awaitHead();
        return;
      }
      head = event as RequestHead;
    } catch (error) {
      this.#refuse(error as RequestError);
      return;
    }
    this.#begin(head);
  }

  #awaitHead(): void {
    const { headersTimeout, requestTimeout, keepAliveTimeout } = this.#host.settings;
    if (this.#halfClosed || (this.#parser.idle && this.#host.stopping)) this.#linger();
    else if (this.#parser.idle) this.#enter('idle', keepAliveTimeout);
    else if (this.#phase !== 'head') {
      this.#enter('head', headersTimeout);
      this.#requestDeadline = this.#host.now + requestTimeout;
    }
  }

  #begin(head: RequestHead): void {
    if (head.scheme === 'https' && !this.peer.encrypted) {
      this.#refuse(new RequestError('ERR_HTTP_SCHEME'), head);
      return;
    }
    const hasBody = head.contentLength !== 0;
    const input = hasBody ? new Input(this) : noInput;
    const exchange = new Exchange(this, head, input);
    this.#exchange = exchange;
    this.#bodyOver = false;
    this.#continued = false;
    if (hasBody && this.#phase !== 'head')
      this.#requestDeadline = this.#host.now + this.#host.settings.requestTimeout;
    this.#enter('serving');
    this.#feed();
    if (this.#host.serve(this, exchange)) return;
    this.#refuse(new RequestError('ERR_HTTP_BUSY'), head);
  }

  /** Gives the body that is there to the exchange. */
  #feed(): void {
    const { input } = this.#exchange as Exchange;
    try {
      for (let event = this.#parser.next(); event !== undefined; event = this.#parser.next()) {
        if (event === end) {
          this.#bodyOver = true;
          if (input !== noInput) input.end();
          if (this.#phase === 'body') this.#enter('serving');
          else this.#checkDrain();
          return;
        }
        if (this.#phase === 'draining') this.#drained += (event as Buffer).length;
        else input.push(event as Buffer);
      }
    } catch (error) {
      this.#bodyOver = false;
      input.fail(error as RequestError);
      if (this.#phase === 'draining') this.#linger();
      return;
    }
    if (this.#phase === 'draining') this.#checkDrain();
    else if (this.#phase === 'body') this.#limitBody();
    else if (input.buffered >= highWater) this.#pause();
  }

  #limitBody(): void {
    this.#limit(this.#host.settings.bodyTimeout);
    if (this.deadline > this.#requestDeadline) this.deadline = this.#requestDeadline;
  }

  wantBody(): void {
    const { expectContinue } = (this.#exchange as Exchange).request;
    if (this.#halfClosed || this.gone) {
      this.#failInput('ERR_HTTP_BODY_SHORT');
      return;
    }
    // One 100, and none once the final response has begun (RFC 9110, 15.2.1).
    if (expectContinue && !this.#continued && !this.#exchange?.begun) {
      this.#continued = true;
      this.#output.write(continueLine);
    }
    this.#phase = 'body';
    this.#limitBody();
    this.#resume();
  }

  readOn(): void {
    if (this.#paused && (this.#exchange as Exchange).input.buffered < highWater / 2) this.#resume();
  }

  #failInput(code: RefusalCode): void {
    if (!this.#bodyOver) this.#exchange?.input.fail(new RequestError(code));
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#stream.pause();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#stream.resume();
  }

  inputEnded(): void {
    this.#halfClosed = true;
    if (!this.#exchange) {
      // What waits behind a response is looked at when that is out; see #awaitHead().
      if (this.#phase === 'flushing') return;
      if (this.#parser.finish() === 'head')
        this.#host.refused(this, new RequestError('ERR_HTTP_BODY_SHORT'));
      this.#linger();
      return;
    }
    this.#failInput('ERR_HTTP_BODY_SHORT');
    if (this.#phase === 'draining') this.#linger();
    else if (this.#host.settings.killOnDisconnect) this.#kill();
  }

  broke(error: Error): void {
    this.#gone ??= error;
  }

  closed(): void {
    // Who has taken the connection over sees its end for himself, and has messages left to read before.
    const killing = this.#host.settings.killOnDisconnect !== false && this.#phase !== 'away';
    this.#phase = 'closed';
    this.#failInput('ERR_HTTP_BODY_SHORT');
    this.#output.wake();
    if (killing && this.#exchange) this.#kill();
    this.#host.forget(this);
  }

  #kill(): void {
    this.#left = true;
    this.#greenlet?.kill({ block: false });
  }

  // ------------------------------------------------------------------- serving

  /** At the begin of the greenlet. False if there is nobody left to serve. */
  attach(): boolean {
    this.#greenlet = getCurrent();
    return !this.gone;
  }

  /** At the end of the greenlet, however it ended. */
  detach(): void {
    const exchange = this.#exchange as Exchange;
    // It was killed before it ran, or there was no stack for it.
    if (!this.#greenlet && !this.gone) exchange.refuse(503);
    // Whoever may still read the body of a request that is over.
    this.#failInput('ERR_HTTP_BODY_SHORT');
    this.#exchange = this.#greenlet = undefined;
    if (this.#phase === 'closed') return;
    if (this.#phase === 'away') {
      exchange.upgraded?.close();
      return;
    }
    if (!exchange.reusable) {
      // Whole or broken off: the client must be able to tell, also where the end of the body is the end
      // of the connection.
      if (exchange.complete) this.#linger();
      else this.#output.reset();
    } else if (this.#bodyOver) {
      this.#next();
    } else {
      this.#drain(exchange);
    }
  }

  #next(): void {
    this.#parser.nextRequest();
    if (this.#output.behind) {
      this.#enterSending('flushing');
      return;
    }
    this.#phase = 'serving';
    this.#resume();
    this.#advance();
  }

  // The application has not read it all.
  #drain(exchange: Exchange): void {
    this.#exchange = exchange;
    if (!this.#drainable()) {
      this.#linger();
      return;
    }
    this.#drained = exchange.input.buffered;
    this.#enter('draining', this.#host.settings.bodyTimeout);
    this.#resume();
    this.#feed();
    this.#checkDrain();
  }

  #checkDrain(): void {
    if (this.#phase !== 'draining') return;
    if (this.#bodyOver) {
      this.#exchange = undefined;
      this.#next();
    } else if (this.#drained > maxDrain) {
      this.#linger();
    }
  }

  // ------------------------------------------------------------------- sending

  get keepAliveField(): string {
    return this.#host.settings.keepAliveField;
  }

  get lastRequest(): boolean {
    const { stopping, retiring } = this.#host;
    if (stopping || retiring || (this.#halfClosed && this.#parser.buffered === 0)) return true;
    return !this.#bodyOver && !this.#drainable();
  }

  // A client that waits for 100 may never send its body, and a long one is not worth the wait.
  #drainable(): boolean {
    const { contentLength, expectContinue } = (this.#exchange as Exchange).request;
    return !(expectContinue && !this.#continued) && (contentLength ?? 0) <= maxDrain;
  }

  #write(data: string | Uint8Array): boolean {
    if (this.gone) throw this.#goneError();
    return this.#output.write(data);
  }

  #goneError(): Error {
    const gone = this.#gone;
    return gone instanceof SendTimeoutError ? gone : new ClientGoneError(gone);
  }

  sendLast(data: string | Uint8Array): void {
    this.#write(data);
  }

  send(data: string | Uint8Array): void {
    if (this.#write(data)) return;
    // A corked stream sends now, or it would wait for the uncork that waits for it.
    this.#output.uncork();
    if (!this.#output.behind) return;
    this.#enterSending('sending');
    try {
      this.#output.wait();
    } finally {
      if (this.#phase === 'sending') this.#enter('serving');
    }
    if (this.gone) throw this.#goneError();
  }

  drained(): void {
    if (this.#phase !== 'flushing') {
      this.#output.wake();
      return;
    }
    this.#phase = 'serving';
    this.#resume();
    this.#advance();
  }

  cork(): void {
    this.#output.cork();
  }
  uncork(): void {
    this.#output.uncork();
  }

  // --------------------------------------------------------------------- ending

  #refuse(error: RequestError, request = refusedHead(this.#parser.requestLine)): void {
    const exchange = new Exchange(this, request, noInput);
    if (!this.gone) {
      exchange.refuse(error.status);
      this.#linger();
    }
    this.#host.refused(this, error, exchange);
  }

  /**
   * Ends our side, and reads on for a while without looking: a connection that is closed with unread
   * bytes is reset, and the client may lose what we have sent last. The while begins when all has gone
   * out: until then a slow client has the time that it needs.
   */
  #linger(): void {
    if (this.#phase === 'ending' || this.#phase === 'lingering' || this.#phase === 'closed') return;
    this.#exchange = undefined;
    if (this.#output.end(() => this.#allSent())) this.#enterLingering();
    else this.#enterSending('ending');
    this.#paused = true;
    this.#resume();
  }

  #allSent(): void {
    if (this.#phase === 'ending') this.#enterLingering();
  }

  /** Sends what is left and closes, as soon as no request is under way. */
  closeWhenIdle(): void {
    if (this.#phase === 'idle' || (this.#phase === 'head' && this.#parser.buffered === 0))
      this.#linger();
  }

  /**
   * At the end of a stop, when requests have ended or been told to: closes as soon as what they have
   * sent is out.
   */
  closeSoon(): void {
    // Who has taken the connection over ends it, and his end goes out, too.
    if (this.#exchange && this.#phase !== 'draining') return;
    if (this.#phase !== 'away') this.#linger();
  }

  /** Nobody is at work for the connection, and something is still going out. */
  get leaving(): boolean {
    return this.#exchange === undefined && this.#phase !== 'closed' && this.#output.pending;
  }

  /** Closes now, unless all has gone out and only the client's end is waited for. */
  cut(): void {
    if (!this.#exchange && this.#phase !== 'lingering') this.destroy();
  }

  /** Closes at once; what was not sent is lost. */
  destroy(): void {
    this.#stream.destroy();
  }

  takeOver(): Socket {
    const stream = this.#stream;
    if (!this.#bodyOver)
      throw new ResponseError('ERR_WSGI_UPGRADE', 'the body of the request is not read');
    unfollow(stream);
    this.#enter('away');
    stream.pause();
    const rest = this.#parser.takeRest();
    if (rest.length > 0) stream.unshift(Buffer.from(rest));
    return new Socket(stream);
  }
}
