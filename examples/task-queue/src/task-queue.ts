/**
 * TaskQueue: tasks in a Redis stream, taken by a group of workers.
 *
 * A task that a worker has taken is pending in the group until it is acknowledged. A worker that dies,
 * also by SIGKILL, acknowledges nothing: after a while another one claims what it had. So a task is done
 * at least once, and never lost; a handler must not mind doing it twice.
 */
import { killall, rethrowExit, sleep, spawn } from '@tendril/core';
import type { Client } from '@tendril/redis';

export interface Task {
  id: string;
  kind: string;
  payload: unknown;
  /** 1 for the first time. */
  attempt: number;
}

export interface QueueOptions {
  /** The stream's key. */
  name: string;
  /** Milliseconds after which a task that nobody has acknowledged is taken to be given up. */
  giveUp?: number;
  /** Times that a task is tried, before it goes to the stream of the dead. */
  attempts?: number;
}

export type Handler = (task: Task) => void;

const group = 'workers';
/** Milliseconds that a worker waits for a task before it looks after those that were given up. */
const patience = 1000;

interface Entry {
  id: string;
  message: Record<string, string>;
}

export class TaskQueue {
  readonly #redis: Client;
  readonly #name: string;
  readonly #giveUp: number;
  readonly #attempts: number;

  constructor(redis: Client, { name, giveUp = 30_000, attempts = 3 }: QueueOptions) {
    this.#redis = redis;
    this.#name = name;
    this.#giveUp = giveUp;
    this.#attempts = attempts;
  }

  get #dead(): string {
    return `${this.#name}:dead`;
  }

  /** Makes the stream and its group, if they are not there. */
  prepare(): void {
    try {
      this.#redis.xGroupCreate(this.#name, group, '0', { MKSTREAM: true });
    } catch (error) {
      if (!String(error).includes('BUSYGROUP')) throw error;
    }
  }

  /** Puts a task in line. @returns its id */
  put(kind: string, payload: unknown): string {
    return String(this.#redis.xAdd(this.#name, '*', { kind, payload: JSON.stringify(payload) }));
  }

  /**
   * Works off tasks, `concurrency` at a time, until it is killed. What `handle` throws is reported, and
   * the task tried again later.
   */
  work(
    consumer: string,
    concurrency: number,
    handle: Handler,
    report: (error: unknown) => void,
  ): void {
    const workers = Array.from({ length: concurrency }, (_, i) =>
      spawn(() => this.#worker(`${consumer}-${i}`, handle, report)),
    );
    try {
      for (;;) {
        for (const worker of workers) if (worker.exception) throw worker.exception;
        sleep(patience);
      }
    } finally {
      killall(workers);
    }
  }

  #worker(consumer: string, handle: Handler, report: (error: unknown) => void): never {
    for (;;) {
      const entry = this.#claim(consumer) ?? this.#next(consumer);
      if (entry) this.#do(entry, handle, report);
    }
  }

  /** The next that nobody has taken, if one comes in time. */
  #next(consumer: string): Entry | undefined {
    const answer = this.#redis.xReadGroup(
      group,
      consumer,
      { key: this.#name, id: '>' },
      { COUNT: 1, BLOCK: patience },
    ) as { messages: Entry[] }[] | null;
    return answer?.[0]?.messages[0];
  }

  /** One that its worker has given up. */
  #claim(consumer: string): Entry | undefined {
    const { messages } = this.#redis.xAutoClaim(this.#name, group, consumer, this.#giveUp, '0', {
      COUNT: 1,
    }) as unknown as { messages: (Entry | null)[] };
    return messages[0] ?? undefined;
  }

  #do(entry: Entry, handle: Handler, report: (error: unknown) => void): void {
    const { id, message } = entry;
    const attempt = this.#attemptOf(id);
    if (attempt > this.#attempts) {
      this.#redis
        .multi()
        .xAdd(this.#dead, '*', { ...message, id })
        .xAck(this.#name, group, id)
        .exec();
      return;
    }
    const { kind = '', payload = 'null' } = message;
    try {
      handle({ id, kind, payload: JSON.parse(payload) as unknown, attempt });
    } catch (error) {
      // A kill is no failure of the task: it stays pending, and somebody claims it.
      rethrowExit(error);
      report(error);
      return;
    }
    // Done, and gone from the stream, together.
    this.#redis.multi().xAck(this.#name, group, id).xDel(this.#name, id).exec();
  }

  #attemptOf(id: string): number {
    const [pending] = this.#redis.xPendingRange(this.#name, group, id, id, 1) as unknown as {
      deliveriesCounter: number;
    }[];
    return pending?.deliveriesCounter ?? 1;
  }

  /** Tasks that are in line or being done, those among them that somebody has taken, and the dead. */
  status(): { open: number; taken: number; dead: number } {
    const { pending } = this.#redis.xPending(this.#name, group) as unknown as { pending: number };
    return {
      open: Number(this.#redis.xLen(this.#name)),
      taken: pending,
      dead: Number(this.#redis.xLen(this.#dead)),
    };
  }
}
