/** Redis with node-redis. */
import { createClient } from 'redis';
import { check, idOf, keys, values } from '../content.js';
import type { Async } from '../load.js';

export const jobs: Async = {
  async get({ host, port, password = '' }) {
    const client = createClient({ socket: { host, port }, password });
    await client.connect();
    return {
      async ask(n) {
        const id = idOf(n);
        const value = await client.get(keys[id] as string);
        check(value === values[id], value);
      },
      close: () => client.close(),
    };
  },
};
