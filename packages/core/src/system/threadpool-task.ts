/** What passes between a ThreadPool and its threads. */

export interface Task {
  /** The text of a function, or where to find one. */
  work: { source: string } | { module: string; export: string };
  args: unknown[];
}

export interface Failure {
  name: string;
  message: string;
  code: unknown;
  stack: string | undefined;
}

export type Outcome = { value: unknown } | { failure: Failure };
