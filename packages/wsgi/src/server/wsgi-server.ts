/** WSGIServer: HTTP/1.1 on a listener, and an application in a greenlet for each request. */
import type { Socket as NetSocket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { getHub, InvalidArgumentError, isExit, sleep, snapshotContext } from '@tendril/core';
import { BaseServer, type Listening, openListening, type StopOptions } from '@tendril/core/server';
import { type Address, type Listener, wrap } from '@tendril/core/socket';
import { ClientGoneError, SendTimeoutError } from '../errors.js';
import { makeEnviron, type Site } from '../gateway/environ.js';
import type { Exchange } from '../gateway/exchange.js';
import type { Application, ErrorStream } from '../gateway/types.js';
import { RequestError } from '../http1/request-error.js';
import { type AccessRecord, combinedLine, headerOf } from './access-log.js';
import { Connection } from './connection.js';
import type { ConnectionHost } from './connection-host.js';
import { type ServerSettings, settingsOf, type WSGIServerOptions } from './options.js';

const software = 'tendril';

const defaultStopTimeout = 1_000;

/** Connections beyond the limit that are answered 503 at a time; others are closed without a word. */
const maxRejecting = 100;
const busyResponse =
  'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n';

function errorStream(log: { write(text: string): unknown }): ErrorStream {
  return {
    write: (text) => void log.write(text),
    writelines: (lines) => {
      for (const line of lines) log.write(line);
    },
    flush: () => {},
  };
}

/**
 * A server in the manner of gevent.pywsgi.
 *
 * @example
 *     const server = new WSGIServer(8080, (environ, startResponse) => {
 *       startResponse('200 OK', [['Content-Type', 'text/plain']]);
 *       return [`Hello ${environ.PATH_INFO}\n`];
 *     });
 *     server.serveForever();
 */
export class WSGIServer extends BaseServer implements ConnectionHost {
  readonly settings: ServerSettings;
  stopping = false;
  retiring = false;
  readonly #where: Listening;
  readonly #app: Application;
  readonly #options: WSGIServerOptions;
  readonly #errorLog: { write(text: string): unknown };
  readonly #connections = new Set<Connection>();
  readonly #counts = { requests: 0, refused: 0, rejected: 0 };
  #site: Site | undefined;
  #listener: Listener | undefined;
  /** Runs a function in the AsyncLocalStorage context of whoever started the server. */
  #asServer: <R>(fn: () => R) => R = (fn) => fn();
  #timer: NodeJS.Timeout | undefined;
  #now = performance.now();
  #stood = false;
  #waiting = 0;
  #rejecting = 0;

  /** @throws InvalidArgumentError */
  constructor(where: Listening, app: Application, options: WSGIServerOptions = {}) {
    super(options);
    if (typeof app !== 'function') throw new InvalidArgumentError('app', 'a function', app);
    this.settings = settingsOf(options);
    this.#where = where;
    this.#app = app;
    this.#options = options;
    this.#errorLog = options.errorLog ?? process.stderr;
  }

  protected override open(): void {
    const { tls } = this.#options;
    // Browsers take HTTP/1.1 only if they are told that there is nothing better.
    const secured = tls && { ...this.#options, tls: { ALPNProtocols: ['http/1.1'], ...tls } };
    const listener = openListening(this.#where, secured ?? this.#options);
    this.#listener = listener;
    this.#asServer = snapshotContext();
    const { address } = listener;
    this.#site = {
      serverName: typeof address === 'string' ? address : address.address,
      serverPort: typeof address === 'string' ? '' : String(address.port),
      software,
      multiprocess: this.#options.multiprocess ?? false,
      errors: errorStream(this.#errorLog),
    };
    listener.onStream((stream) => this.#connected(stream));
  }

  #connected(stream: NetSocket): void {
    if (this.#connections.size >= this.settings.maxConnections) {
      this.#reject(stream);
      return;
    }
    this.#startClock();
    const encrypted = (stream as Partial<TLSSocket>).encrypted === true;
    this.#connections.add(new Connection(this, stream, encrypted));
  }

  #reject(stream: NetSocket): void {
    this.#counts.rejected++;
    if (this.#rejecting >= maxRejecting) {
      this.#listener?.drop(stream);
      return;
    }
    this.#rejecting++;
    stream.once('close', () => this.#rejecting--).on('error', () => {});
    stream.write(busyResponse, 'latin1');
    wrap(stream).close();
  }

  // ------------------------------------------------------------------- the clock

  get now(): number {
    return this.#now;
  }

  // One timer looks after all connections: to set a limit is to write a number. It may be late by one
  // of its intervals, and is never early.
  #startClock(): void {
    if (this.#timer) return;
    const { headersTimeout, bodyTimeout, keepAliveTimeout, sendTimeout } = this.settings;
    const least = Math.min(headersTimeout, bodyTimeout, keepAliveTimeout, sendTimeout);
    const interval = Math.min(Math.max(least / 8, 10), 1000);
    this.#now = performance.now() + interval;
    this.#timer = setInterval(() => this.#tick(interval), interval);
  }

  #tick(interval: number): void {
    const time = performance.now();
    // The process stood still, in a collection or in somebody's loop: what came meanwhile is not read
    // yet, and will be before the next tick.
    const stood = time + interval - this.#now > 3 * interval && !this.#stood;
    this.#stood = stood;
    this.#now = time + interval;
    if (stood) return;
    for (const connection of this.#connections) if (connection.deadline < time) connection.expire();
    if (this.#connections.size === 0) this.#stopClock();
  }

  #stopClock(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  // -------------------------------------------------------------------- requests

  serve(connection: Connection, exchange: Exchange): boolean {
    this.#counts.requests++;
    const begun = this.#options.log ? new Date() : undefined;
    let inLine = false;
    let given = true;
    const leaveLine = () => {
      if (inLine) this.#waiting--;
      inLine = false;
    };
    const leave = this.handle(
      () => {
        leaveLine();
        if (connection.attach()) this.#run(connection, exchange);
      },
      () => {
        leaveLine();
        if (given) connection.detach();
        if (begun) this.#log(connection, exchange, begun);
      },
    );
    if (!leave) return true;
    inLine = true;
    this.#waiting++;
    if (this.#waiting <= this.settings.maxWaiting) return true;
    given = false;
    leave();
    leaveLine();
    return false;
  }

  #run(connection: Connection, exchange: Exchange): void {
    const environ = makeEnviron(
      this.#site as Site,
      connection.peer,
      exchange.request,
      exchange.input,
    );
    if (this.#options.environ) Object.assign(environ, this.#options.environ);
    exchange.run(this.#app, environ);
    // A middleware that knows of proxies may have put the true client there.
    exchange.remoteAddress = environ.REMOTE_ADDR;
    if (exchange.error !== undefined) this.#failed(exchange.error, connection);
  }

  // A kill, and a client that has gone or sent nonsense, are no errors of the application.
  #failed(error: unknown, connection: Connection): void {
    if (error instanceof RequestError) this.refused(connection, error);
    else if (
      !isExit(error) &&
      !(error instanceof ClientGoneError) &&
      !(error instanceof SendTimeoutError)
    )
      getHub().onError(error, 'an application of WSGIServer');
  }

  refused(connection: Connection, _error: RequestError, exchange?: Exchange): void {
    this.#counts.refused++;
    // Not as the request that was before it on the connection, and at whose end it was looked at.
    if (exchange && this.#options.log)
      this.#asServer(() => this.#log(connection, exchange, new Date()));
  }

  forget(connection: Connection): void {
    this.#connections.delete(connection);
    if (this.stopping && this.#connections.size === 0) this.#stopClock();
  }

  #log(connection: Connection, exchange: Exchange, time: Date): void {
    const { log } = this.#options;
    if (!log) return;
    const { request } = exchange;
    const record: AccessRecord = {
      time,
      remoteAddress: exchange.remoteAddress ?? connection.peer.address,
      method: request.method,
      target: request.target,
      protocol: request.method === '' ? '' : `HTTP/1.${request.minor}`,
      status: exchange.status,
      bytes: exchange.sent,
      duration: Date.now() - time.getTime(),
      referer: headerOf(request, 'referer'),
      userAgent: headerOf(request, 'user-agent'),
    };
    if (typeof log === 'function') log(record);
    else log.write(combinedLine(record));
  }

  // ------------------------------------------------------------------------ ends

  /** Where it listens; undefined before start(). */
  get address(): Address | undefined {
    return this.#listener?.address;
  }
  get port(): number {
    return this.#listener?.port ?? 0;
  }

  statistics(): {
    connections: number;
    active: number;
    waiting: number;
    requests: number;
    refused: number;
    rejected: number;
  } {
    return {
      connections: this.#connections.size,
      active: this.active,
      waiting: this.#waiting,
      ...this.#counts,
    };
  }

  /**
   * Makes every further response the last of its connection. It is how to empty a server without the
   * race of closing a connection at rest while its client is sending: call it some time before stop().
   */
  retire(): void {
    this.retiring = true;
  }

  protected override closeInput(): void {
    this.stopping = true;
    this.#listener?.close();
    for (const connection of this.#connections) connection.closeWhenIdle();
  }

  protected override closeRest(): void {
    for (const connection of this.#connections) connection.closeSoon();
    if (this.#connections.size === 0) this.#stopClock();
  }

  /**
   * Takes in no more, and gives requests under way `timeout` milliseconds for their handlers to end and
   * for their responses to go out. What takes longer is killed and cut off. Parks until then.
   */
  override stop(options?: StopOptions): void {
    const deadline = performance.now() + (options?.timeout ?? defaultStopTimeout);
    try {
      super.stop(options);
      this.#awaitLeaving(deadline);
    } finally {
      for (const connection of this.#connections) connection.cut();
    }
  }

  // There is no event for the kernel taking something, and a stop is no time to count turns.
  #awaitLeaving(deadline: number): void {
    for (;;) {
      const left = deadline - performance.now();
      if (left <= 0 || ![...this.#connections].some((each) => each.leaving)) return;
      sleep(Math.min(left, 10));
    }
  }
}
