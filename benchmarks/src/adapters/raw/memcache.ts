/** memcached with memjs. */
import { Client } from 'memjs';
import { check, idOf, keys, values } from '../content.js';
import type { Async } from '../load.js';

export const jobs: Async = {
  async get({ host, port }) {
    const client = Client.create(`${host}:${port}`);
    return {
      async ask(n) {
        const id = idOf(n);
        const { value } = await client.get(keys[id] as string);
        check(value?.toString() === values[id], value);
      },
      close: async () => client.close(),
    };
  },
};
