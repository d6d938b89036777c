/** The ways to serve the application. */
import { fileURLToPath } from 'node:url';

export interface Way {
  name: string;
  /** For Node, without the program. */
  flags: string[];
  program: string;
  env: Record<string, string>;
  /** How many processes say that they listen. */
  listeners: number;
  /** Its workers are processes of their own, whose memory counts. */
  isGroup: boolean;
  /** How many clients make it warm: what it serves at once, or a good part of it. */
  warmUp: (clients: number) => number;
}

const workers = 8;
const threads = 40;

const inFolder = (name: string) => fileURLToPath(new URL(`../app/${name}`, import.meta.url));
const plain = {
  flags: [],
  program: inFolder('app.cjs'),
  env: {},
  listeners: 1,
  isGroup: false,
  warmUp: () => 1,
} satisfies Partial<Way>;

/** @param register the module that the one flag names */
export function makeWays(register = '@tendril/core/monkey/register'): Way[] {
  return [
    { ...plain, name: 'plain Node' },
    {
      ...plain,
      name: `${workers} cluster workers`,
      program: inFolder('cluster.cjs'),
      env: { WORKERS: `${workers}` },
      listeners: workers,
      isGroup: true,
      warmUp: () => workers,
    },
    {
      ...plain,
      name: `pool of ${threads} threads`,
      program: inFolder('threads.cjs'),
      env: { THREADS: `${threads}` },
      warmUp: () => threads,
    },
    {
      ...plain,
      name: 'one added flag',
      flags: ['--import', register],
      warmUp: (clients) => Math.ceil(clients / 2),
    },
  ];
}
