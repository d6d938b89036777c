import {
  type Adapter,
  Gate,
  type Observer,
  openGate,
  Service,
  type Subject,
  startService,
  type Target,
} from '@tendril/adapter-suite';
import { wait } from '@tendril/core';
import { Client } from '#src/index.js';

/** Milliseconds that a command and its answer take longer, each. */
const delay = 2;

/** How many ask now, and have got an answer before. */
let asking = 0;

/**
 * memcached has no slow operation. So commands take a while on the network, and this asks again and
 * again until the time is up: there is always a command on its way.
 */
function askUntil(client: Client, id: string, ms: number): string {
  const end = performance.now() + ms;
  let answer = echo(client, id);
  asking++;
  try {
    while (performance.now() < end && answer === id) answer = echo(client, id);
    return answer;
  } finally {
    asking--;
  }
}

function echo(client: Client, id: string): string {
  const key = encodeURIComponent(id);
  client.set(key, id);
  return String(client.get(key).value);
}

/** The way to what listens; to others, which refuse, there is none. */
function slowGate(at: Target): Gate | undefined {
  if (!(at instanceof Service || at instanceof Gate)) return undefined;
  const gate = wait(openGate(at));
  gate.slow(delay);
  return gate;
}

export const adapter: Adapter = {
  name: 'memcache',
  shared: true,
  start: () => startService('memcached'),

  open(at, { size, acquireTimeout }): Subject {
    const gate = slowGate(at);
    const { host, port } = gate ?? at;
    // A server has one connection: so it is named once for each.
    const servers = Array.from({ length: size }, () => `${host}:${port}`).join();
    const client = Client.create(servers, {
      retries: 0, // what breaks shall be seen
      failoverTime: 0.2,
      ...(acquireTimeout !== undefined && { acquireTimeout }),
    });
    return {
      echo: (id) => echo(client, id),
      slow: (id, ms) => askUntil(client, id, ms),
      get size() {
        return client.servers.filter((server) => server.connected).length;
      },
      get waiting() {
        return client.servers.reduce((sum, server) => sum + server.waiting, 0);
      },
      close() {
        client.quit();
        if (gate) wait(gate.close());
      },
    };
  },

  observe({ host, port }): Observer {
    const client = Client.create(`${host}:${port}`);
    return {
      // No command takes any time: those who ask know it, the server does not.
      running: () => asking,
      sessions: () => Number(client.stats()[`${host}:${port}`]?.curr_connections) - 1,
      close: () => client.quit(),
    };
  },
};
