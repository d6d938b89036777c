/** Handlers that only sleep, under many clients: what greenlets were made for. */
import { fileURLToPath } from 'node:url';
import type { Samples } from '../samples.js';
import { ab } from './ab.js';
import { runLoad } from './commands.js';
import type { HttpServer } from './contestants.js';
import { ServerProcess } from './server-process.js';
import { wrk } from './wrk.js';

const atOnce = fileURLToPath(new URL('./at-once.js', import.meta.url));

export interface Classic {
  name: string;
  /** Milliseconds of the handler's sleep. */
  sleep: number;
  measure(url: string, port: number): Promise<number>;
}

function withAb(sleep: number, concurrency: number, requests: number, unit: 's' | 'requests/s') {
  return {
    name: `${sleep / 1000} s handlers, ab -c ${concurrency} -n ${requests} (${unit})`,
    sleep,
    measure: async (url: string) => {
      const { seconds, rate } = await ab(url, concurrency, requests);
      return unit === 's' ? seconds : rate;
    },
  };
}

/**
 * ab sends its first request alone, and the others when that is answered. So no server can take less than
 * 3 s for the first (2 s for the second, which is without ab), nor answer more than 2,000 and 33 a second.
 */
export function classics(quick: boolean): Classic[] {
  const withoutLong: Classic[] = [
    withAb(1000, 1000, 2000, 's'),
    {
      name: '1 s handlers, 1,000 connections at once, 2,000 requests (s)',
      sleep: 1000,
      measure: async (url, port) => {
        const { pathname } = new URL(url);
        const args = [atOnce, String(port), pathname, '1000', '2000'];
        return Number(await runLoad([process.execPath, ...args]));
      },
    },
    withAb(100, 200, quick ? 6000 : 20_000, 'requests/s'),
  ];
  return quick ? withoutLong : [...withoutLong, withAb(5000, 200, 1000, 'requests/s')];
}

export async function measureClassic(
  samples: Samples,
  server: HttpServer,
  { name, sleep, measure }: Classic,
): Promise<void> {
  const running = await ServerProcess.start(server);
  try {
    await wrk({ url: running.url('/sleep/1'), connections: 50, seconds: 1 }); // warms the server up
    const value = await measure(running.url(`/sleep/${sleep}`), running.port);
    samples.note(name, server.name, value);
  } finally {
    await running.stop();
  }
}
