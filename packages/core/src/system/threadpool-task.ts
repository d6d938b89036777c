/** What passes between a ThreadPool and its threads. */
import type { Sent } from './threadpool-error.js';

export interface Task {
  /** The text of a function, or where to find one. */
  work: { source: string } | { module: string; export: string };
  args: unknown[];
}

export type Outcome =
  | { value: unknown }
  | { thrown: Sent }
  /** It has ended, and what came of it cannot be sent. */
  | { stuck: 'returned' | 'thrown'; why: string };
