/** The clients of this package in the words of the suite. */
import {
  type Adapter,
  type Observer,
  type OpenOptions,
  type Service,
  type Subject,
  startService,
  type Target,
} from '@tendril/adapter-suite';
import { wait } from '@tendril/core';
import { createClient, createClientPool } from '@tendril/redis';
import { createClient as createRaw } from 'redis';

/** Connections with this name are not the subject's. */
export const observerName = 'observer';
let server: Service;

export function rawClient(service: { host: string; port: number }) {
  const client = createRaw({
    socket: { host: service.host, port: service.port, reconnectStrategy: 20 },
    password: 'tendril',
    name: observerName,
    disableClientInfo: true,
  });
  client.on('error', () => {});
  return client;
}

/** Answers BLPOPs of the `slow` operations after a while. */
class Answerer {
  readonly #client = rawClient(server);
  #count = 0;

  async #push(key: string, id: string): Promise<void> {
    if (!this.#client.isOpen) await this.#client.connect();
    await this.#client.multi().rPush(key, id).expire(key, 60).exec();
  }

  slow(id: string, ms: number, pop: (key: string) => { element: string } | null): string {
    const key = `slow:${id}:${this.#count++}`;
    const timer = setTimeout(() => this.#push(key, id).catch(() => {}), ms);
    try {
      return pop(key)?.element ?? 'nothing';
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#client.destroy();
  }
}

function observe(service: Service): Observer {
  const client = rawClient(service);
  wait(client.connect());
  const count = (text: string, pattern: RegExp) => Number(pattern.exec(text)?.[1]);
  return {
    running: () => count(wait(client.info('clients')), /blocked_clients:(\d+)/),
    sessions: () => wait(client.clientList()).filter(({ name }) => name !== observerName).length,
    close: () => client.destroy(),
  };
}

async function start(): Promise<Service> {
  server = await startService('redis');
  return server;
}

const isAuthenticationError = (error: unknown) => /WRONGPASS/.test(String(error));

interface Popping {
  echo(id: string): string;
  blPop(key: string, timeout: number): { element: string } | null;
  connect(): Popping;
  close(options?: { timeout?: number }): void;
}

function subject(client: Popping, counts: () => { size: number; waiting: number }): Subject {
  const answerer = new Answerer();
  let closed = false;
  const connected = () => (closed ? client : client.connect());
  return {
    echo: (id) => connected().echo(id),
    slow: (id, ms) => answerer.slow(id, ms, (key) => connected().blPop(key, 0)),
    get size() {
      return counts().size;
    },
    get waiting() {
      return counts().waiting;
    },
    close(timeout) {
      closed = true;
      client.close(timeout === undefined ? {} : { timeout });
      answerer.close();
    },
  };
}

const common = { sharedSessions: 1, start, observe, isAuthenticationError };

function options({ host, port }: Target, { password = 'tendril' }: OpenOptions) {
  // A server that a busy machine keeps from answering shall not be taken for a silent one.
  const limits = { connectTimeout: 1000, socketTimeout: 1500 };
  return { socket: { host, port, ...limits }, pingInterval: 500, password };
}

/** Blocking commands are what its connections are for; all else goes over one that is shared. */
export const clientAdapter: Adapter = {
  name: 'redis client',
  ...common,
  open(at, given) {
    const { size, acquireTimeout = 30_000 } = given;
    const own = { blockingConnections: size, acquireTimeout };
    const client = createClient({ ...options(at, given), ...own });
    return subject(client, () => client.statistics());
  },
};

/** The session beside is the one that ends blocking commands. */
export const poolAdapter: Adapter = {
  name: 'redis pool',
  ...common,
  open(at, given) {
    const { size, acquireTimeout = 30_000 } = given;
    const own = { maximum: size, acquireTimeout };
    const pool = createClientPool(options(at, given), { ...own, minimum: 0 });
    return subject(pool, () => ({ size: pool.totalClients, waiting: pool.tasksQueueLength }));
  },
};
