/** memcached with @tendril/memcache. */
import * as memcache from '@tendril/memcache';
import { check, idOf, keys, values } from '../content.js';
import type { Parking } from '../load.js';
import { need } from '../need.js';

interface Contract {
  Client: {
    create(servers: string): { get(key: string): { value: Buffer | null }; close(): void };
  };
}
const { Client } = need<Contract>('@tendril/memcache', memcache, 'Client');

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
