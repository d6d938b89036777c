import { after, before } from 'node:test';
import { type Service, startService } from '@tendril/adapter-suite';
import { run, sleep } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import { Client, type ClientOptions, Pool, type PoolOptions } from '@tendril/pg';

let service: Service;

/** A server for the tests of a file. */
export function useServer(): void {
  before(async () => {
    service = await startService('postgres');
  });
  after(async () => {
    await service.stop();
    await checkLeaks();
  });
}

export function server(): Service {
  return service;
}

/** How to log in there. */
export function login(): ClientOptions {
  const { host, port, user, password, database } = service.info;
  return { host, port, user, password, database };
}

/** A test's body in a greenlet, with a pool of its own. */
export function withPool(body: (pool: Pool) => void, options?: PoolOptions): () => Promise<void> {
  return () =>
    run(() => {
      const pool = new Pool({ ...login(), max: 3, ...options });
      try {
        body(pool);
      } finally {
        pool.end({ timeout: 1000 });
      }
    }) as Promise<void>;
}

/** A test's body in a greenlet, with a connection of its own. */
export function withClient(body: (client: Client) => void, options?: ClientOptions) {
  return () =>
    run(() => {
      const client = new Client({ ...login(), ...options }).connect();
      try {
        body(client);
      } finally {
        client.end();
      }
    }) as Promise<void>;
}

/** Parks until `condition` holds. */
export function until(condition: () => boolean, ms = 60_000): void {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${condition}`);
    sleep(10);
  }
}
