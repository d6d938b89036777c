/** A worker process: it loads the application and serves the connections that the arbiter hands over. */
import cluster from 'node:cluster';
import type { Socket } from 'node:net';
import { inspect } from 'node:util';
import { getHub } from '@tendril/core';
import type { Address } from '@tendril/core/socket';
import type { Application } from '../gateway/types.js';
import { AppLoadError, exitCode } from './errors.js';
import { forwarded } from './forwarded.js';
import { loadApp } from './load-app.js';
import { LogFile } from './log-file.js';
import { Logger } from './logger.js';
import { type FromWorker, ours, type ToWorker } from './messages.js';
import type { Settings } from './options.js';
import { type Logs, Serving } from './serving.js';

/** Milliseconds between two beats at most. */
const longestBeat = 1000;

class WorkerProcess {
  readonly #settings: Settings;
  readonly #logs: Logs;
  readonly #logger: Logger;
  #serving: Serving | undefined;
  #ending = false;
  #leaving = false;
  #lastTaken = 0;

  constructor(settings: Settings) {
    const { accessLogfile, errorLogfile, timeout, name } = settings;
    process.title = `tendril-wsgi: worker [${name}]`;
    this.#settings = settings;
    this.#logs = {
      access: accessLogfile === undefined ? undefined : new LogFile(accessLogfile, process.stdout),
      error: new LogFile(errorLogfile, process.stderr),
    };
    this.#logger = new Logger(this.#logs.error);
    getHub().onError = (error, source) =>
      this.#logger.error(`Error in ${source}: ${inspect(error)}`);
    const interval = timeout > 0 ? Math.min(longestBeat, timeout / 4) : longestBeat;
    setInterval(() => this.send({ tendril: 'beat' }), interval);
  }

  send(message: FromWorker, then?: () => void): void {
    if (process.connected) process.send?.(message, undefined, {}, () => then?.());
    else then?.();
  }

  async start(addresses: Address[]): Promise<void> {
    this.#logger.info(`Booting worker with pid: ${process.pid}`);
    try {
      const app = await loadApp(this.#settings.app, this.#settings);
      const known = forwarded(app, this.#settings.forwardedAllowIps);
      this.#serving = new Serving(this.#settings, addresses, this.#counted(known), this.#logs);
      await this.#serving.start();
    } catch (error) {
      const report = error instanceof AppLoadError ? error.report : inspect(error);
      this.send({ tendril: 'failed', report }, () => this.#exit(exitCode.boot));
      return;
    }
    this.send({ tendril: 'ready' });
  }

  #counted(app: Application): Application {
    const { maxRequests, maxRequestsJitter } = this.#settings;
    if (maxRequests === 0) return app;
    let left = maxRequests + Math.floor(Math.random() * (maxRequestsJitter + 1));
    return (environ, startResponse) => {
      if (--left === 0) this.leave(`it has served ${maxRequests} requests or more`);
      return app(environ, startResponse);
    };
  }

  /** Asks for a successor. Requests are served until the arbiter says `retire`. */
  leave(why: string): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.send({ tendril: 'leave', why });
  }

  handle(message: ToWorker, socket: Socket | undefined): void {
    switch (message.tendril) {
      case 'connection':
        this.#take(message.number, message.index, socket);
        return;
      case 'ask':
        if (message.number > this.#lastTaken)
          this.send({ tendril: 'missed', number: message.number });
        return;
      case 'retire':
        void this.retire(message.polite, message.limit);
        return;
      case 'reopen':
        this.#logs.access?.reopen();
        this.#logs.error.reopen();
        return;
      case 'quit':
        this.quit();
    }
  }

  #take(number: number, index: number, socket: Socket | undefined): void {
    // A socket that had ended before it was sent comes as a message alone.
    if (!socket) {
      this.send({ tendril: 'missed', number });
      return;
    }
    // First of all: from here on it is this worker's, and nobody else may serve it.
    this.#lastTaken = number;
    this.send({ tendril: 'took', number });
    this.#serving?.take(index, socket);
  }

  async retire(polite: number, limit: number): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    try {
      await this.#serving?.retire(polite, limit);
    } finally {
      this.#exit(exitCode.ok);
    }
  }

  /** The arbiter is no more. */
  retireAlone(): Promise<void> {
    return this.retire(0, this.#settings.gracefulTimeout);
  }

  quit(): void {
    this.#exit(exitCode.ok);
  }

  #exit(code: number): void {
    this.#logger.info(`Worker exiting (pid: ${process.pid})`);
    this.#logs.access?.flush();
    this.#logs.error.flush();
    process.exit(code);
  }
}

let worker: WorkerProcess | undefined;

process.on('message', (message, socket) => {
  const known = ours<ToWorker>(message);
  if (!known) return;
  if (known.tendril === 'start') {
    worker = new WorkerProcess(known.settings);
    void worker.start(known.addresses);
  } else {
    worker?.handle(known, socket as Socket | undefined);
  }
});

// Without this node:cluster ends a worker at once when the arbiter dies, with its requests.
if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
process.on('disconnect', () => {
  if (worker) void worker.retireAlone();
  else process.exit(exitCode.ok);
});

process.on('SIGTERM', () => worker?.leave('it was sent SIGTERM'));
for (const signal of ['SIGINT', 'SIGQUIT'] as const)
  process.on(signal, () => (worker ? worker.quit() : process.exit(exitCode.ok)));
// The arbiter's business; a terminal that goes away sends it to all.
for (const signal of ['SIGHUP', 'SIGUSR1'] as const) process.on(signal, () => {});

process.send?.({ tendril: 'hello' } satisfies FromWorker);
