/** Products in Redis, when there is one; without it the database is asked each time. */
import { createClient } from '@tendril/redis';
import type { Product } from './schema.js';

/** Seconds that a product is kept. */
const keep = 10;

export interface Cache {
  get(id: number): Product | undefined;
  set(product: Product): void;
  close(): void;
}

const none: Cache = { get: () => undefined, set() {}, close() {} };

/** @param url of Redis, or undefined for no cache */
export function openCache(url: string | undefined): Cache {
  if (url === undefined) return none;
  const client = createClient({ url });
  client.connect();
  const keyOf = (id: number) => `tendril-shop:${id}`;
  return {
    get(id) {
      const text = client.get(keyOf(id));
      return text === null ? undefined : (JSON.parse(String(text)) as Product);
    },
    set: (product) => void client.set(keyOf(product.id), JSON.stringify(product), { EX: keep }),
    close: () => void client.close(),
  };
}
