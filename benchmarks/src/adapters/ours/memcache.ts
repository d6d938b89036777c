/** memcached with @tendril/memcache. */
import { Client } from '@tendril/memcache';
import { check, idOf, keys, values } from '../content.js';
import type { Parking } from '../load.js';

export const jobs: Parking = {
  get({ host, port }) {
    const client = Client.create(`${host}:${port}`);
    return {
      ask(n) {
        const id = idOf(n);
        const { value } = client.get(keys[id] as string);
        check(value?.toString() === values[id], value);
      },
      close: () => client.close(),
    };
  },
};
