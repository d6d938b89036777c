/**
 * What master and workers say to each other. A worker is a DEALER, the master a ROUTER, which puts the
 * worker's identity in front of what it says.
 *
 *     worker                        master
 *     ready            ------------>
 *                      <------------  task, number, what to map
 *     done, number, result  ------->  (asks for the next one, too)
 *                      <------------  stop
 */

/** What a job is made of: plain data that JSON knows. */
export interface Job<Part, Mapped, Result> {
  /** In a worker. */
  map(part: Part): Mapped;
  /** In the master, for each part once, in any order. */
  reduce(result: Result, mapped: Mapped): Result;
  initial(): Result;
}

export type FromWorker =
  | { say: 'ready' }
  | { say: 'done'; task: number; mapped: unknown }
  | { say: 'failed'; task: number; why: string };

export type ToWorker = { say: 'task'; task: number; part: unknown } | { say: 'stop' };

export const encode = (message: FromWorker | ToWorker): string => JSON.stringify(message);

export function decode<M extends FromWorker | ToWorker>(frame: Buffer | undefined): M {
  return JSON.parse(String(frame)) as M;
}
