/** Master: gives parts of a job to workers that ask, and takes back what they made of them. */
import { Timeout } from '@tendril/core';
import { Router } from '@tendril/zmq';
import { decode, encode, type FromWorker, type Job, type ToWorker } from './protocol.js';

export interface MasterOptions {
  /** Milliseconds after which a part is given to somebody else, too: its worker may be dead. */
  patience: number;
  /** Times that a part is given out before the job is given up. */
  attempts?: number;
}

interface Given {
  readonly part: unknown;
  attempts: number;
  /** When it was given out last; undefined while it waits. */
  since: number | undefined;
}

export class JobError extends Error {}

/** How often it is looked for parts that nobody brings back, in milliseconds. */
const lookEvery = 100;

export class Master<Part, Mapped, Result> implements Disposable {
  readonly #socket = new Router();
  readonly #job: Job<Part, Mapped, Result>;
  readonly #options: MasterOptions;
  readonly #tasks = new Map<number, Given>();
  readonly #waiting: number[] = [];
  /** Workers that have asked while there was nothing to give. */
  #idle: Buffer[] = [];
  /** How many parts each worker brought back, by its identity. */
  readonly shares = new Map<string, number>();

  constructor(job: Job<Part, Mapped, Result>, options: MasterOptions) {
    this.#job = job;
    this.#options = options;
  }

  /** Parks until it listens. @returns where workers connect */
  bind(): string {
    this.#socket.bind('tcp://127.0.0.1:*');
    return this.#socket.lastEndpoint as string;
  }

  /** Parks until all parts are mapped and reduced. @throws JobError */
  run(parts: readonly Part[]): Result {
    let result = this.#job.initial();
    for (const [number, part] of parts.entries()) {
      this.#tasks.set(number, { part, attempts: 0, since: undefined });
      this.#waiting.push(number);
    }
    while (this.#tasks.size > 0) {
      const heard = this.#hear();
      if (heard?.say === 'done' && this.#tasks.delete(heard.task))
        result = this.#job.reduce(result, heard.mapped as Mapped);
      else if (heard?.say === 'failed') throw new JobError(`part ${heard.task}: ${heard.why}`);
      this.#takeBack();
      this.#giveOut();
    }
    return result;
  }

  /** Something that a worker says, if it comes soon; whoever says something can have a part. */
  #hear(): FromWorker | undefined {
    using limit = Timeout.startNew(lookEvery);
    try {
      const [worker, frame] = this.#socket.receive() as [Buffer, Buffer];
      const heard = decode<FromWorker>(frame);
      this.#idle.push(worker);
      if (heard.say === 'done') {
        const name = worker.toString('hex');
        this.shares.set(name, (this.shares.get(name) ?? 0) + 1);
      }
      return heard;
    } catch (error) {
      if (error !== limit) throw error;
      return undefined;
    }
  }

  // A worker may be dead or only slow: whose answer comes first counts, the other is dropped.
  #takeBack(): void {
    const latest = performance.now() - this.#options.patience;
    for (const [number, given] of this.#tasks) {
      if (given.since === undefined || given.since > latest) continue;
      given.since = undefined;
      this.#waiting.push(number);
    }
  }

  #giveOut(): void {
    while (this.#idle.length > 0) {
      const number = this.#waiting.shift();
      if (number === undefined) return;
      const given = this.#tasks.get(number);
      if (!given) continue; // done meanwhile, by somebody who was slow
      const { attempts = 5 } = this.#options;
      if (++given.attempts > attempts)
        throw new JobError(`part ${number} was given out ${attempts} times, and never came back`);
      given.since = performance.now();
      this.#say(this.#idle.shift() as Buffer, { say: 'task', task: number, part: given.part });
    }
  }

  #say(worker: Buffer, message: ToWorker): void {
    this.#socket.send([worker, encode(message)]);
  }

  /** Sends the idle workers home, and closes. */
  [Symbol.dispose](): void {
    this.#socket.close();
  }

  /** Tells those who ask that there is nothing more. */
  dismiss(): void {
    for (const worker of this.#idle) this.#say(worker, { say: 'stop' });
    this.#idle = [];
  }
}
