/** Member: a worker process, as the arbiter sees it. */
import cluster, { type Worker } from 'node:cluster';
import type { Accepted, Taker } from './dispatcher.js';
import { type FromWorker, ours, type ToWorker } from './messages.js';

/**
 *     booting --ready--> serving --retire()--> retiring --> gone
 *
 * A serving one that is to be replaced keeps on serving till its successor is ready: it is `old`.
 */
export type Phase = 'booting' | 'serving' | 'retiring' | 'gone';

export interface MemberEvents {
  message(member: Member, message: FromWorker): void;
  /** The process has ended, and all it has ever sent has arrived. `how`: in words. */
  gone(member: Member, how: string, byItself: boolean): void;
}

/** Milliseconds between the end of a channel and the end of its process, before it is helped along. */
const patience = 1000;

export class Member implements Taker {
  phase: Phase = 'booting';
  /** The phase before `gone`. */
  lastPhase: Phase = 'booting';
  /** Waits for a successor. */
  old = false;
  /** Was killed by the arbiter. */
  killed = false;
  readonly born = performance.now();
  /** When its event loop was last known to turn. */
  lastBeat = performance.now();
  /** When it will be killed if it has not loaded. */
  bootDeadline = Number.POSITIVE_INFINITY;
  /** When it will be killed if it has not ended. */
  deadline = Number.POSITIVE_INFINITY;
  readonly pid: number;
  readonly #worker: Worker;
  readonly #events: MemberEvents;

  constructor(events: MemberEvents) {
    const worker = cluster.fork();
    this.#worker = worker;
    this.#events = events;
    this.pid = worker.process.pid ?? 0;
    worker.on('message', (message) => {
      const known = ours<FromWorker>(message);
      if (!known) return;
      this.lastBeat = performance.now();
      events.message(this, known);
    });
    this.#watchEnd(worker, events);
  }

  // The last messages may come after the news of the exit: both are waited for.
  #watchEnd(worker: Worker, events: MemberEvents): void {
    let exited: [how: string, byItself: boolean] | undefined;
    let timer: NodeJS.Timeout | undefined;
    const over = () => {
      if (this.phase === 'gone' || !exited) return;
      clearTimeout(timer);
      this.lastPhase = this.phase;
      this.phase = 'gone';
      events.gone(this, ...exited);
    };
    worker.once('exit', (code, signal) => {
      exited ??=
        signal === null ? [`exited with code ${code}`, true] : [`was sent ${signal}`, false];
      if (worker.isConnected()) timer = setTimeout(over, patience);
      else over();
    });
    // Without descriptors or processes there is no process, and then not always an exit.
    worker.on('error', (error) => {
      if (this.pid !== 0) return; // a message to one that has just died
      exited = [`cannot be started: ${error.message}`, false];
      over();
    });
    worker.once('disconnect', () => {
      if (exited) over();
      else timer = setTimeout(() => this.kill(), patience);
    });
  }

  send(message: ToWorker): void {
    if (this.#worker.isConnected()) this.#worker.process.send(message, undefined, {}, () => {});
  }

  give({ socket, index }: Accepted, number: number): void {
    if (!this.#worker.isConnected()) return;
    const message: ToWorker = { tendril: 'connection', index, number };
    this.#worker.process.send(message, socket, { keepOpen: true }, (error) => {
      // It has not left this process, for want of memory for instance.
      if (error) this.#events.message(this, { tendril: 'missed', number });
    });
  }

  ask(number: number): void {
    this.send({ tendril: 'ask', number });
  }

  /** `polite`: see {@link ToWorker}; `limit` for its requests; it is killed after `allowance` more. */
  retire(polite: number, limit: number, allowance: number): void {
    this.phase = 'retiring';
    this.deadline = performance.now() + limit + allowance;
    this.send({ tendril: 'retire', polite: Math.min(polite, limit), limit });
  }

  quit(limit: number): void {
    this.phase = 'retiring';
    this.deadline = performance.now() + limit;
    this.send({ tendril: 'quit' });
  }

  /** Ends one that has not served yet. */
  abandon(): void {
    this.phase = 'retiring';
    this.kill();
  }

  kill(): void {
    this.killed = true;
    this.#worker.process.kill('SIGKILL');
  }
}
