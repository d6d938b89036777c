/** A server for a test file, and clients of it. */
import { after, before, test } from 'node:test';
import { type Service, startService, type Target } from '@tendril/adapter-suite';
import { run, sleep, withTimeout } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import { type Client, createClient } from '@tendril/redis';

/** Of the servers that startService() starts. */
export const password = 'tendril';

/** Milliseconds: stands for "hangs", also on a machine that others keep busy. */
const limit = 60_000;

let service: Service;

export function address(): { host: string; port: number } {
  return { host: service.host, port: service.port };
}

/** Starts one before the tests of the file, and looks for leaks after them. */
export function useServer(): void {
  before(async () => {
    service = await startService('redis');
  });
  after(async () => {
    await service.stop();
    await checkLeaks();
  });
}

export function clientOf(options: object = {}, { host, port }: Target = address()): Client {
  const client = createClient({ socket: { host, port }, password, ...options });
  return client.connect();
}

/** A test whose body runs in a greenlet with an empty database and a client of its own. */
export function redisTest(name: string, body: (client: Client) => void): void {
  test(name, () =>
    run(() => {
      const client = clientOf();
      try {
        client.flushAll();
        withTimeout(limit, () => body(client));
      } finally {
        client.close();
      }
    }),
  );
}

/** Between those of services and the range from which the system takes ports for others meanwhile. */
export function freePort(): number {
  return 20_000 + Math.floor(Math.random() * 10_000);
}

export function until(holds: () => boolean): void {
  withTimeout(limit / 2, () => {
    while (!holds()) sleep(2);
  });
}
