/** Arbiter: the first process. It holds the addresses, obeys signals, and keeps a crew of workers. */
import cluster from 'node:cluster';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  connectionsOfWorker,
  defaultMaxConnections,
  descriptorLimit,
  shareOf,
} from '../server/descriptors.js';
import { showAddress } from './bind.js';
import { Crew } from './crew.js';
import { Dispatcher } from './dispatcher.js';
import { exitCode } from './errors.js';
import { version } from './help.js';
import { findModule, splitApp } from './load-app.js';
import type { LogFile } from './log-file.js';
import { Logger } from './logger.js';
import type { Settings } from './options.js';
import { writePidFile } from './pid-file.js';
import { Ports } from './ports.js';
import { watchSources } from './watcher.js';

/** Milliseconds that a stop leaves connections at rest, which may just be sending. */
const politeAtStop = 250;

const firstProcess =
  'This is process 1, which has to wait for every orphan of its container, and Node.js waits for its own ' +
  'children only: what they leave behind stays as zombies. Start it with `docker run --init`, or under tini.';

type Stop = 'no' | 'graceful' | 'quick';

export class Arbiter {
  readonly #settings: Settings;
  readonly #logs: readonly LogFile[];
  readonly #logger: Logger;
  readonly #dispatcher = new Dispatcher(descriptorLimit());
  readonly #ports: Ports;
  readonly #crew: Crew;
  readonly #cleanups: (() => void)[] = [];
  #end: () => void = () => {};
  readonly #ended = new Promise<void>((resolve) => {
    this.#end = resolve;
  });
  #stopping: Stop = 'no';
  #exitCode: number = exitCode.ok;

  constructor(settings: Settings, errorLog: LogFile, accessLog: LogFile | undefined) {
    this.#settings = settings;
    this.#logs = accessLog ? [errorLog, accessLog] : [errorLog];
    this.#logger = new Logger(errorLog);
    this.#ports = new Ports(this.#dispatcher, this.#logger, settings.socketMode);
    this.#crew = new Crew(settings, this.#dispatcher, this.#logger, {
      cannotBoot: () => this.#cannotBoot(),
      empty: () => this.#empty(),
    });
  }

  /**
   * Runs until it is told to stop.
   * @returns the exit code
   * @throws SetupError
   */
  async run(): Promise<number> {
    const { bind, pid, reload, workers, name, certfile, umask } = this.#settings;
    if (umask !== undefined) process.umask(umask); // which workers inherit
    for (const name of ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES']) delete process.env[name];
    process.title = `tendril-wsgi: master [${name}]`;
    if (pid !== undefined) this.#cleanups.push(writePidFile(path.resolve(pid)));
    try {
      this.#logger.info(`Starting tendril-wsgi ${version()}`);
      this.#obeySignals();
      const addresses = await this.#ports.open(bind);
      const shown = addresses.map((address) => showAddress(address, certfile !== undefined));
      this.#logger.info(`Listening at: ${shown.join(', ')} (${process.pid})`);
      this.#logger.info(`Using workers: ${workers}`);
      this.#logger.info(`Connections of a worker: ${this.#connections()}`);
      if (process.pid === 1) this.#logger.warning(firstProcess);
      cluster.setupPrimary({
        exec: fileURLToPath(new URL('./worker.js', import.meta.url)),
        args: [],
      });
      if (reload) this.#watch();
      if (this.#stopping === 'no') {
        this.#crew.start(addresses);
        await this.#ended;
      }
    } finally {
      this.#crew.close();
      this.#ports.close();
      for (const cleanup of this.#cleanups) cleanup();
      this.#logger.info('Shutting down: Master');
      if (this.#exitCode === exitCode.boot) this.#logger.error('Reason: Worker failed to boot.');
      for (const log of this.#logs) log.flush();
    }
    return this.#exitCode;
  }

  #connections(): string {
    const { bind, maxConnections = defaultMaxConnections } = this.#settings;
    const limit = descriptorLimit();
    const each = shareOf(connectionsOfWorker(), bind.length, maxConnections);
    const why = each < maxConnections ? `, for which ${limit} file descriptors are enough` : '';
    return `up to ${each * bind.length}${why}`;
  }

  #watch(): void {
    const { module } = splitApp(this.#settings.app);
    const folder = path.dirname(findModule(module, process.cwd()));
    const end = watchSources(folder, (file) => {
      this.#logger.info(`Worker reloading: ${path.relative(process.cwd(), file)} modified`);
      if (this.#stopping === 'no') this.#crew.reload();
    });
    this.#cleanups.push(end);
  }

  #obeySignals(): void {
    const actions: [NodeJS.Signals, () => unknown][] = [
      ['SIGHUP', () => this.#crew.reload()],
      ['SIGTTIN', () => this.#crew.resize(this.#crew.wanted + 1)],
      ['SIGTTOU', () => this.#crew.wanted > 1 && this.#crew.resize(this.#crew.wanted - 1)],
      ['SIGWINCH', () => this.#crew.retireAll(this.#settings.keepAlive)],
    ];
    for (const [signal, action] of actions)
      process.on(signal, () => {
        if (this.#stopping !== 'no' || (signal === 'SIGWINCH' && onTerminal())) return;
        this.#logger.info(`Handling signal: ${signalName(signal)}`);
        action();
      });
    process.on('SIGUSR1', () => {
      this.#logger.info('Handling signal: usr1');
      for (const log of this.#logs) log.reopen();
      this.#crew.reopenLogs();
    });
    process.on('SIGTERM', () => void this.#stop('graceful', 'term'));
    process.on('SIGINT', () => void this.#stop('quick', 'int'));
    process.on('SIGQUIT', () => void this.#stop('quick', 'quit'));
  }

  async #stop(how: Exclude<Stop, 'no'>, signal: string): Promise<void> {
    this.#logger.info(`Handling signal: ${signal}`);
    if (this.#stopping === how || this.#stopping === 'quick') return;
    this.#stopping = how;
    this.#ports.close();
    const deadline = performance.now() + this.#settings.gracefulTimeout;
    if (how === 'graceful') await this.#handOver(deadline);
    if (this.#stopping === 'quick') {
      this.#dispatcher.clear();
      this.#crew.quitAll();
    } else {
      this.#crew.retireAll(politeAtStop, Math.max(deadline - performance.now(), 0));
    }
  }

  // What has been accepted still goes to the workers, as long as they take it.
  async #handOver(deadline: number): Promise<void> {
    const waits = () => !this.#dispatcher.idle && performance.now() < deadline;
    while (waits() && this.#stopping === 'graceful') await delay(10);
  }

  #cannotBoot(): void {
    if (this.#exitCode === exitCode.boot) return;
    this.#exitCode = exitCode.boot;
    this.#stopping = 'quick';
    this.#ports.close();
    this.#dispatcher.clear();
    this.#crew.quitAll();
  }

  #empty(): void {
    if (this.#stopping !== 'no') this.#end();
  }
}

const signalName = (signal: string) => signal.slice('SIG'.length).toLowerCase();

const onTerminal = () => [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
