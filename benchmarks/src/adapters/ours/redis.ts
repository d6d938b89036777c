/** Redis with @tendril/redis. */
import { createClient } from '@tendril/redis';
import { check, idOf, keys, values } from '../content.js';
import type { Parking } from '../load.js';

export const jobs: Parking = {
  get({ host, port, password = '' }) {
    const client = createClient({ socket: { host, port }, password });
    client.connect();
    return {
      ask(n) {
        const id = idOf(n);
        const value = client.get(keys[id] as string);
        check(value === values[id], value);
      },
      close: () => client.close(),
    };
  },
};
