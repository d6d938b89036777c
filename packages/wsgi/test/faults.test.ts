/**
 * Clients that mean harm: many at a time, while a well-behaved one goes on. The server is a process of
 * its own, so that descriptors, memory and time are its own, too.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn as spawnProcess } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import readline from 'node:readline';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const short = Boolean(process.env.TENDRIL_TEST_SHORT);
const attackers = short ? 300 : 2000;
/** Each fills some megabytes of the kernel's buffers first. */
const readers = process.env.TENDRIL_TEST_LONG ? attackers : Math.min(attackers, 500);
const opening = 250;

const timeouts = {
  headersTimeout: 1500,
  bodyTimeout: 1500,
  requestTimeout: 2500,
  keepAliveTimeout: 1500,
  sendTimeout: 1500,
};

interface State {
  connections: number;
  active: number;
  requests: number;
  begun: number;
  ended: number;
  memory: number;
  stacks: number;
}

class Attacked {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  port = 0;

  constructor() {
    const script = fileURLToPath(new URL('../test/scripts/attacked-server.mjs', import.meta.url));
    const args = ['--expose-gc', script, JSON.stringify(timeouts)];
    this.process = spawnProcess(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const input = this.process.stdout as NodeJS.ReadableStream;
    this.#lines = readline.createInterface({ input })[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    return (await this.#lines.next()).value as string;
  }

  /** With a collection before, if memory is of interest: it takes its time. */
  async state(command: 'state' | 'collect' = 'state'): Promise<State> {
    this.process.stdin?.write(`${command}\n`);
    return JSON.parse(await this.line());
  }

  async until(fits: (state: State) => boolean, limit = 180_000): Promise<State> {
    const end = performance.now() + limit;
    for (;;) {
      const state = await this.state();
      if (fits(state)) return state;
      if (performance.now() > end) assert.fail(`still ${JSON.stringify(state)}`);
      await delay(50);
    }
  }
}

let server: Attacked;
const agent = new http.Agent({ keepAlive: true });
after(() => agent.destroy());

beforeEach(async () => {
  server = new Attacked();
  server.port = Number(await server.line());
});

afterEach(async () => {
  server.process.stdin?.end();
  const [status] = await once(server.process, 'exit');
  assert.equal(status, 0);
});

/** Milliseconds that each of `count` requests took. */
async function requests(count: number, stop = () => false): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < count && !stop(); i++) {
    const since = performance.now();
    await new Promise<void>((resolve, reject) => {
      http
        .get({ port: server.port, host: '127.0.0.1', agent }, (response) => {
          assert.equal(response.statusCode, 200);
          response.resume().on('end', resolve);
        })
        .on('error', reject);
    });
    took.push(performance.now() - since);
    await delay(2);
  }
  return took;
}

function p99(times: number[]): number {
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] as number;
}

interface Attack {
  sockets: net.Socket[];
  end(): void;
}

/** Opens connections, and calls `act` for each now and then. */
async function attack(
  first: string,
  act: (socket: net.Socket) => void,
  every: number,
  count = attackers,
): Promise<Attack> {
  const sockets: net.Socket[] = [];
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(opening, count - sockets.length) }, () => {
      const socket = net.connect(server.port, '127.0.0.1');
      socket.on('error', () => {});
      if (first) socket.write(first);
      return socket;
    });
    await Promise.all(some.map((socket) => once(socket, 'connect')));
    sockets.push(...some);
  }
  const timer = setInterval(() => {
    for (const socket of sockets) if (socket.writable) act(socket);
  }, every);
  return {
    sockets,
    end() {
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Runs an attack to its end beside good requests. */
async function withstand(start: () => Promise<Attack>): Promise<State> {
  const before = await server.state('collect');
  const calm = p99(await requests(300));
  const attacking = await start();
  const during = await server.state('collect');
  let over = false;
  const ending = server
    .until((state) => state.connections <= 2 && state.active <= 2 && state.ended === state.begun)
    .finally(() => {
      over = true;
    });
  const harmed = p99(await requests(10_000, () => over));
  const all = await ending;
  attacking.end();
  const perConnection = (during.memory - before.memory) / attacking.sockets.length;
  console.log(
    `p99 of others: ${calm.toFixed(1)} ms before, ${harmed.toFixed(1)} ms during; ` +
      `${(perConnection / 1024).toFixed(1)} KB per attacker`,
  );
  // Far from exact: what must not be is a wait for the attackers. How busy the machine is, is in both.
  assert.ok(harmed < 250 + 50 * calm, `${harmed} ms, and ${calm} ms before`);
  assert.ok(perConnection < 64 * 1024, `${perConnection} bytes`);
  return all;
}

describe(`${attackers} clients that mean harm are all closed by the timeouts, and harm nobody`, () => {
  test('heads that dribble (slowloris)', async () => {
    const state = await withstand(() =>
      attack('GET / HTTP/1.1\r\nHost: a\r\n', (socket) => socket.write('X-a: b\r\n'), 400),
    );
    assert.ok(state.stacks < 50, 'a head that is not there has no stack');
  });

  test('bodies that dribble', async () => {
    const head = 'POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n';
    await withstand(() => attack(head, (socket) => socket.write('x'), 400));
  });

  test('clients that read nothing of an endless response', async () => {
    const state = await withstand(() =>
      attack('GET /stream HTTP/1.1\r\nHost: a\r\n\r\n', () => {}, 1000, readers).then((started) => {
        for (const socket of started.sockets) socket.pause();
        return started;
      }),
    );
    // A client that was too slow to ask was closed before.
    assert.ok(state.begun > 0);
    assert.equal(state.ended, state.begun, 'every response was cleaned up');
  });

  test('connections that say nothing', async () => {
    await withstand(() => attack('', () => {}, 1000));
  });
});

test('a storm of clients that come and go leaves nothing behind', async () => {
  const count = short ? 500 : 2000;
  const first = await server.state('collect');
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < count; i += opening) {
      const some = Array.from({ length: opening }, (_, n) => {
        const socket = net.connect(server.port, '127.0.0.1');
        socket.on('error', () => {});
        socket.write(n % 3 === 0 ? 'GET / HT' : 'GET /stream HTTP/1.1\r\nHost: a\r\n\r\n');
        return socket;
      });
      await Promise.all(some.map((socket) => once(socket, 'connect')));
      await delay(10);
      for (const [n, socket] of some.entries()) {
        if (n % 2 === 0) socket.resetAndDestroy();
        else socket.destroy();
      }
    }
    await server.until(({ connections, active }) => connections === 0 && active === 0);
    const rest = await server.state('collect');
    assert.ok(rest.memory < first.memory + 150_000_000, `${rest.memory} bytes`);
  }
  assert.ok((await requests(20)).length === 20);
});
