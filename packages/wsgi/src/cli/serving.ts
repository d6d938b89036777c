/** Serving: the servers of a worker, one for each address. */
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { joinall, Pool, run, spawn } from '@tendril/core';
import { type Address, type Listener, standInListener } from '@tendril/core/socket';
import type { Application } from '../gateway/types.js';
import { type AccessLog, combinedLine, jsonLine } from '../server/access-log.js';
import { connectionsThatFit, defaultMaxConnections, shareOf } from '../server/descriptors.js';
import { WSGIServer } from '../server/wsgi-server.js';
import { tlsOptions } from './certificates.js';
import type { LogFile } from './log-file.js';
import type { Settings } from './options.js';

export interface Logs {
  readonly access: LogFile | undefined;
  readonly error: LogFile;
}

/** Milliseconds for the last bytes of the last responses. */
const lastBytes = 3000;
/** How often it is looked whether all have gone, in milliseconds. */
const lookEvery = 20;

function accessLogOf({ access }: Logs, { accessLogFormat }: Settings): AccessLog | undefined {
  if (!access) return undefined;
  const line = accessLogFormat === 'json' ? jsonLine : combinedLine;
  return (record) => access.write(line(record));
}

export class Serving {
  readonly #listeners: Listener[];
  readonly #servers: WSGIServer[];

  /** Reads the certificate: a reload brings the new one. */
  constructor(settings: Settings, addresses: readonly Address[], app: Application, logs: Logs) {
    const { keepAlive, maxConnections = defaultMaxConnections, spawn: places, workers } = settings;
    const tls = tlsOptions(settings);
    const log = accessLogOf(logs, settings);
    const options = {
      keepAliveTimeout: keepAlive,
      errorLog: logs.error,
      multiprocess: workers > 1,
      ...(log && { log }),
      maxConnections: shareOf(connectionsThatFit(), addresses.length, maxConnections),
      ...(places !== undefined && { spawn: new Pool(places) }),
    };
    this.#listeners = addresses.map((address) => standInListener(address, tls && { tls }));
    this.#servers = this.#listeners.map((listener) => new WSGIServer(listener, app, options));
  }

  async start(): Promise<void> {
    await run(() => {
      for (const server of this.#servers) server.start();
    });
  }

  take(index: number, socket: Socket): void {
    this.#listeners[index]?.take(socket);
  }

  get #connections(): number {
    return this.#servers.reduce((sum, server) => sum + server.statistics().connections, 0);
  }

  async #untilAllHaveGone(limit: number): Promise<void> {
    const deadline = performance.now() + limit;
    while (this.#connections > 0 && performance.now() < deadline) await delay(lookEvery);
  }

  /**
   * Ends every connection with its next response. After `polite` milliseconds those at rest are
   * closed, and requests under way get the rest of `limit`.
   */
  async retire(polite: number, limit: number): Promise<void> {
    const begin = performance.now();
    for (const server of this.#servers) server.retire();
    await this.#untilAllHaveGone(polite);
    const left = limit - (performance.now() - begin);
    await run(() => {
      const timeout = Math.max(left, 0);
      joinall(this.#servers.map((server) => spawn(() => server.stop({ timeout }))));
    });
    await this.#untilAllHaveGone(lastBytes);
  }
}
