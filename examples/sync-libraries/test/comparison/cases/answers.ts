/** What asks another process, or a thread, and takes one answer at a time for granted. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createSyncFn } from 'synckit';
import { attempt, type Cases } from '../case.js';

const require = createRequire(import.meta.url);
const fixture = (name: string) =>
  fileURLToPath(new URL(`../../../test/fixtures/${name}`, import.meta.url));

type Remote = (request: { ms: number; id?: number; fail?: string }) => unknown;
const connect: (worker: string, options: object) => Remote = require('sync-rpc');

export const cases: Cases = {
  synckit: {
    user(user) {
      const upper = createSyncFn<(text: string, ms: number) => Promise<string>>(
        fixture('synckit-worker.mjs'),
      );
      // Who comes later has its answer earlier.
      const first = upper(`first of ${user}`, user < 10 ? 10 - user : 0);
      const failed = user % 10 === 0 ? attempt(() => upper('fail', 0)) : undefined;
      return { first, failed, second: upper(`second of ${user}`, 0) };
    },
  },

  'sync-rpc': {
    user(user) {
      if (user % 10 !== 0) return undefined; // each call of it starts a process
      const remote = connect(fixture('rpc-worker.cjs'), { name: `worker ${user}` });
      return [
        remote({ ms: 50 - user, id: user }),
        attempt(() => remote({ ms: 0, fail: `${user}` })),
      ];
    },
  },
};
