import { type Adapter, type Observer, type Subject, startService } from '@tendril/adapter-suite';
import { Client } from '#src/index.js';

/**
 * memcached has no slow operation, so this asks again and again until the time is up: there is always a
 * command on its way. Only such as are sent once, so that no retry hides what happens to them.
 */
function askUntil(client: Client, id: string, ms: number): string {
  const end = performance.now() + ms;
  let answer: string;
  do answer = echo(client, id);
  while (performance.now() < end && answer === id);
  return answer;
}

function echo(client: Client, id: string): string {
  client.set(id, id);
  return String(client.get(id).value);
}

export const adapter: Adapter = {
  name: 'memcache',
  shared: true,
  start: () => startService('memcached'),

  // A server has one connection: so it is named once for each.
  open({ host, port }, { size, acquireTimeout }): Subject {
    const servers = Array.from({ length: size }, () => `${host}:${port}`).join();
    const client = Client.create(servers, {
      retries: 0,
      failoverTime: 0.2,
      ...(acquireTimeout !== undefined && { acquireTimeout }),
    });
    const count = (of: (server: (typeof client.servers)[number]) => number) =>
      client.servers.reduce((sum, server) => sum + of(server), 0);
    return {
      echo: (id) => echo(client, id),
      slow: (id, ms) => askUntil(client, id, ms),
      get size() {
        return count((server) => Number(server.connected));
      },
      get waiting() {
        return count((server) => server.waiting);
      },
      close: () => client.quit(),
    };
  },

  observe({ host, port }): Observer {
    const client = Client.create(`${host}:${port}`);
    return {
      running: () => 0,
      sessions: () => Number(client.stats()[`${host}:${port}`]?.curr_connections) - 1,
      close: () => client.quit(),
    };
  },
};
