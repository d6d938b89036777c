/** Connection: one TCP connection to a server, with the commands that are on their way. */
import { connect, type LookupFunction, type Socket } from 'node:net';
import { lookup } from '@tendril/core/resolver';
import { type Response, Utils } from 'memjs';
import type { Address } from './address.js';
import { AuthenticationError, breakage, ConnectionError, ReplyTimeoutError } from './errors.js';
import type { Exchange } from './exchange.js';
import { greeting, refusal } from './handshake.js';
import { opcodes } from './opcodes.js';
import type { Settings } from './options.js';
import { Pending } from './pending.js';
import { Reader } from './reader.js';

const openingSteps = 4;
/** Node's timers turn longer times into 1 ms. */
const longestTimer = 2 ** 31 - 1;

/** What a connection tells its server. */
export interface Owner {
  readonly name: string;
  readonly address: Address;
  readonly settings: Settings;
  /** The first answer has come. */
  opened(): void;
  /** It takes no more commands, but the answers to those on their way. */
  retired(connection: Connection): void;
  /** It is gone. `error` only if it was never opened. */
  gone(connection: Connection, error?: Error): void;
}

/**
 * Answers are matched by the opaque number of their command, so one that comes late is nobody's. All
 * commands have the same time limit, so those on their way are in the order of their deadlines, and one
 * timer is enough.
 */
export class Connection {
  readonly #owner: Owner;
  readonly #socket: Socket;
  readonly #reader = new Reader((message) => this.#receive(message));
  readonly #pending = new Pending();
  /** To be written together: those of this turn, or all until the connection is open. */
  #queued: Exchange[] = [];
  #open = false;
  #retired = false;
  #gone = false;
  #timer: NodeJS.Timeout | undefined;
  #lastHeard = 0;
  #whenGone: (() => void) | undefined;

  /** Starts to connect. */
  constructor(owner: Owner) {
    this.#owner = owner;
    const { address, settings } = owner;
    const { keepAlive, keepAliveDelay, conntimeout } = settings;
    const socket = connect({
      ...{ host: address.host, port: address.port, lookup: lookup as LookupFunction },
      ...{ noDelay: true, keepAlive, keepAliveInitialDelay: keepAliveDelay },
      autoSelectFamily: true,
    });
    this.#socket = socket;
    socket.on('connect', () => socket.write(greeting(address)));
    socket.on('data', (piece) => this.#read(piece));
    socket.on('error', (error) => this.#end(error));
    const closed = () => this.#end(breakage('DISCONNECTED', 'the server closed the connection'));
    socket.on('end', closed).on('close', closed);
    if (Number.isFinite(conntimeout)) this.#watchOpening(conntimeout);
  }

  /** In steps: time in which this thread did something else counts as one, and not against the server. */
  #watchOpening(ms: number): void {
    let left = openingSteps;
    const step = () => {
      if (--left === 0)
        this.#end(breakage('CONNECT_TIMEOUT', `no connection within ${ms / 1000} s`));
    };
    this.#timer = setInterval(step, Math.min(ms / openingSteps, longestTimer));
  }

  get open(): boolean {
    return this.#open;
  }

  send(exchange: Exchange): void {
    // What all the greenlets of this turn send goes out together: a system call for each would be the
    // dearest part of a command.
    if (this.#queued.push(exchange) === 1 && this.#open) process.nextTick(() => this.#flush());
  }

  #flush(): void {
    const frames: Buffer[] = [];
    const now = performance.now();
    const queued = this.#queued;
    this.#queued = [];
    for (const each of queued) {
      if (each.abandoned) {
        each.fail(() => new Error('nobody waits'));
        continue;
      }
      each.sentAt = now;
      this.#pending.add(each);
      frames.push(each.request.frame);
    }
    const [first] = frames;
    if (!first) {
      if (this.#retired) this.#destroyIfDone();
      return;
    }
    this.#socket.write(frames.length === 1 ? first : Buffer.concat(frames));
    if (!this.#timer) this.#watch(this.#owner.settings.timeout);
  }

  #read(piece: Buffer): void {
    this.#lastHeard = performance.now();
    try {
      this.#reader.push(piece);
    } catch (error) {
      this.#end(error as Error);
    }
  }

  #receive(message: Response): void {
    if (this.#gone) return;
    if (!this.#open) {
      this.#welcome(message);
      return;
    }
    const exchange = this.#pending.find(message.header.opaque);
    if (!exchange?.receive(message)) return;
    this.#pending.remove(exchange);
    if (this.#retired) this.#destroyIfDone();
  }

  #destroyIfDone(): void {
    if (this.#pending.length + this.#queued.length === 0) this.destroy();
  }

  #welcome(message: Response): void {
    const error = refusal(message, this.#owner.name);
    if (error) {
      this.#end(error);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#open = true;
    this.#owner.opened();
    this.#flush();
  }

  #watch(ms: number): void {
    this.#timer = undefined;
    if (!Number.isFinite(ms)) return;
    // Answers that lie in the socket while this thread was busy are read before anyone is late: the
    // check phase of the event loop comes after the poll phase. The timer itself keeps no process
    // alive; the socket does.
    const check = () => setImmediate(() => this.#expire());
    this.#timer = setTimeout(check, Math.min(Math.max(1, ms), longestTimer)).unref();
  }

  /**
   * Fails those that have waited for too long, and no others. If nothing was heard meanwhile, or the
   * server does not even take what is sent, the connection is of no use any more.
   */
  #expire(): void {
    if (this.#gone) return;
    const { name, settings } = this.#owner;
    const { timeout } = settings;
    const latest = performance.now() - timeout;
    let useless = this.#retired;
    let next: number | undefined;
    for (let { first } = this.#pending; first; { first } = this.#pending) {
      if (first.sentAt > latest) {
        next = first.sentAt - latest;
        break;
      }
      useless ||= this.#lastHeard <= first.sentAt || this.#socket.writableLength > 0;
      this.#pending.remove(first);
      first.fail(() => new ReplyTimeoutError(name, timeout / 1000));
    }
    this.#timer = undefined;
    if (next !== undefined) this.#watch(next);
    if (useless) this.retire();
  }

  /** The peer may be gone without a word: new commands get a new connection, old ones their chance. */
  retire(): void {
    if (!this.#retired) this.#owner.retired(this);
    this.#retired = true;
    this.#destroyIfDone();
  }

  /** Says goodbye; `then` is called when the connection is gone. */
  quit(then: () => void): void {
    this.#whenGone = then;
    if (this.#open) this.#socket.end(Utils.makeRequestBuffer(opcodes.quit, '', '', '', 0));
    else this.destroy();
  }

  /** With `error` all that wait get it; else they must be none. */
  destroy(error?: () => Error): void {
    this.#end(breakage('DISCONNECTED', 'the connection was closed'), error);
  }

  #end(cause: Error, error?: () => Error): void {
    if (this.#gone) return;
    this.#gone = true;
    clearTimeout(this.#timer);
    this.#socket.destroy();
    const { name } = this.#owner;
    const make = (sent: boolean) =>
      error ?? (() => (isFinal(cause) ? cause : new ConnectionError(name, sent, cause)));
    this.#owner.gone(this, this.#open || error ? undefined : cause);
    for (const each of this.#queued) each.fail(make(false));
    this.#queued = [];
    for (let { first } = this.#pending; first; { first } = this.#pending) {
      this.#pending.remove(first);
      first.fail(make(true));
    }
    this.#whenGone?.();
  }
}

function isFinal(cause: Error): boolean {
  return cause instanceof AuthenticationError;
}
