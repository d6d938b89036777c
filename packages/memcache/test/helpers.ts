import { type Service, startService, type Target } from '@tendril/adapter-suite';
import { run, sleep } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import { Client, type Options } from '#src/index.js';

/** A test's body, in a greenlet, with `count` servers of its own and nothing left behind. */
export function withServers(count: number, body: (...services: Service[]) => void) {
  return async () => {
    const services = await Promise.all(
      Array.from({ length: count }, () => startService('memcached')),
    );
    try {
      await run(() => body(...services));
    } finally {
      await Promise.all(services.map((service) => service.stop()));
    }
    await checkLeaks();
  };
}

export function connect(services: readonly Service[], options?: Options): Client {
  return Client.create(services.map(({ host, port }) => `${host}:${port}`).join(), options);
}

export function nameOf({ host, port }: Target): string {
  return `${host}:${port}`;
}

/** A key that belongs to the server number `index`. */
export function keyOf(client: Client, index: number, prefix = 'key'): string {
  for (let n = 0; ; n++)
    if (Number(client.getServer(`${prefix}${n}`)) === index) return `${prefix}${n}`;
}

/** Parks until `holds()`. */
export function until(what: string, holds: () => boolean): void {
  for (const end = performance.now() + 30_000; !holds(); sleep(5))
    if (performance.now() > end) throw new Error(`not in time: ${what}`);
}

/** What `fn` throws, and after how many milliseconds. */
export function failureOf(fn: () => unknown): { code: string; error: Error; took: number } {
  const since = performance.now();
  try {
    fn();
  } catch (error) {
    const took = performance.now() - since;
    return { code: (error as { code: string }).code, error: error as Error, took };
  }
  throw new Error('it did not fail');
}
