/** So many askers, each with one question under way, for some time: in greenlets, or in async tasks. */
import { joinall, run, spawn } from '@tendril/core';
import { quantile, type Report } from './report.js';

/** Where the server is. */
export interface Address {
  host: string;
  port: number;
  user?: string;
  password?: string;
  database?: string;
}

export interface Settings {
  address: Address;
  askers: number;
  seconds: number;
}

/** `Result` is void in greenlets and a promise in async tasks. */
interface Client<Result> {
  /** Asks question `n` of the given asker, and checks the answer. */
  ask(n: number, asker: number): Result;
  /** Until all that was asked has been answered, where that is not known by then. */
  settle?(): Result;
  close(): Result;
}

/** Jobs of a module of clients, by name. */
export type Parking = Record<string, (address: Address, askers: number) => Client<void>>;
export type Async = Record<
  string,
  (address: Address, askers: number) => Promise<Client<Promise<unknown>>>
>;

class Meter {
  readonly until: number;
  readonly #began = performance.now();
  readonly #usage = process.cpuUsage();
  readonly #latencies: number[] = [];

  constructor(seconds: number) {
    this.until = this.#began + seconds * 1000;
  }

  note(latency: number): void {
    this.#latencies.push(latency);
  }

  report(): Report {
    const { user, system } = process.cpuUsage(this.#usage);
    const elapsed = performance.now() - this.#began;
    const count = this.#latencies.length;
    return {
      processor: ((user + system) * 1000) / count,
      rate: (count * 1000) / elapsed,
      p99: quantile(this.#latencies, 0.99),
    };
  }
}

/** Seconds that the client has for coming up to speed: V8 compiles for that long. */
const warmUp = (seconds: number) => Math.max(2, seconds / 2);

export function inGreenlets(open: Parking[string], settings: Settings): Promise<Report> {
  const { address, askers, seconds } = settings;
  return run(() => {
    const client = open(address, askers);
    let n = 0;
    const measure = (meter: Meter) => {
      const one = (asker: number) => {
        for (let now = performance.now(); now < meter.until; ) {
          const began = now;
          client.ask(n++, asker);
          now = performance.now();
          meter.note(now - began);
        }
      };
      const all = Array.from({ length: askers }, (_, asker) => spawn(one, asker));
      joinall(all, { raiseError: true });
      client.settle?.();
      return meter.report();
    };
    measure(new Meter(warmUp(seconds)));
    const report = measure(new Meter(seconds));
    client.close();
    return report;
  });
}

export async function inTasks(open: Async[string], settings: Settings): Promise<Report> {
  const { address, askers, seconds } = settings;
  const client = await open(address, askers);
  let n = 0;
  const measure = async (meter: Meter) => {
    const one = async (asker: number) => {
      for (let now = performance.now(); now < meter.until; ) {
        const began = now;
        await client.ask(n++, asker);
        now = performance.now();
        meter.note(now - began);
      }
    };
    await Promise.all(Array.from({ length: askers }, (_, asker) => one(asker)));
    await client.settle?.();
    return meter.report();
  };
  await measure(new Meter(warmUp(seconds)));
  const report = await measure(new Meter(seconds));
  await client.close();
  return report;
}
