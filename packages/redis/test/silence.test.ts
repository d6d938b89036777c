/** Networks that forward nothing any more, and tell nobody. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Gate, openGate } from '@tendril/adapter-suite';
import { run, spawn, wait, withTimeout } from '@tendril/core';
import {
  type Client,
  createClientPool,
  type Session,
  SocketTimeoutError,
  type Subscription,
} from '@tendril/redis';
import { failure } from './asker.js';
import { TestCluster, TestSentinel } from './deployments.js';
import { address, clientOf, password, redisTest, until, useServer } from './helpers.js';

useServer();

/** Short ones; a busy machine may need some of it for an answer that does come. */
const limits = { pingInterval: 200, socket: { socketTimeout: 600 } };
const code = 'ERR_REDIS_CONNECTION_LOST';

function far(gate: Gate, options: { socket?: object } = {}): Client {
  const socket = { host: gate.host, port: gate.port, ...limits.socket, ...options.socket };
  return clientOf({ ...limits, ...options, socket }, gate);
}

/** A client, or a pool, behind a gate. */
function behindGate(body: (gate: Gate) => void): void {
  const gate = wait(openGate(address()));
  try {
    body(gate);
  } finally {
    wait(gate.close());
  }
}

/** Asks all the time, with a limit each that is shorter than the one for silence, until there is an answer. */
function askUntilAnswered(ask: () => unknown): number {
  for (let timeouts = 0; ; timeouts++) {
    const answered = withTimeout(100, () => failure(ask) === undefined, { value: false });
    if (answered) return timeouts;
  }
}

redisTest('a client that others keep asking finds out, and connects again', () =>
  behindGate((gate) => {
    const causes: unknown[] = [];
    const reconnectStrategy = (_retries: number, cause: Error) => {
      causes.push(cause);
      return 10;
    };
    const client = far(gate, { socket: { reconnectStrategy } });
    const errors: unknown[] = [];
    client.on('error', (error: unknown) => errors.push(error));
    client.set('key', 'value');
    gate.silence();
    assert.ok(askUntilAnswered(() => client.get('key')) > 0, 'it was silent');
    for (const each of [causes[0], errors[0]]) assert.ok(each instanceof SocketTimeoutError);
    client.close();
  }),
);

redisTest('what was on its way fails with a code, and is not sent again', (client) =>
  behindGate((gate) => {
    const silent = far(gate);
    silent.set('n', '0');
    // Its answers are lost, what is asked arrives.
    gate.hold();
    const asked = [
      () => silent.incr('n'),
      () => silent.multi().incr('n').exec(),
      () => silent.multi().incr('n').execAsPipeline(),
      () => silent.sendCommand(['INCR', 'n']),
    ].map((each) => spawn(failure, each));
    until(() => client.get('n') === '4');
    gate.silence();
    gate.letGo(); // what those say that are connected from now on
    for (const each of asked) assert.equal(each.get()?.code, code);
    assert.equal(silent.incr('n'), 5);
    silent.destroy();
  }),
);

/** What goes over connections of its own. */
const apart: Record<string, (client: Client) => unknown> = {
  'blPop with a limit': (client) => client.blPop('none', 1),
  'blPop without one': (client) => client.blPop('none', 0),
  'blmPop with a limit': (client) => client.blmPop(1, 'none', 'LEFT'),
  'BLPOP by sendCommand': (client) => client.sendCommand(['blpop', 'none', '1']),
  'xRead with a limit': (client) => client.xRead({ key: 'none', id: '$' }, { BLOCK: 1000 }),
  'WAIT with a limit': (client) => client.wait(9, 1000),
  'a session': (client) =>
    client.execute((session: Session) => {
      for (;;) session.get('none');
    }),
  'a transaction': (client) => {
    for (;;) client.transaction('none', (session) => session.multi().get('none'));
  },
};

const lost = { code, name: 'Error', message: /Expecting data/ };

function allAreGivenUp(client: Client, silence: () => void): void {
  const asking = Object.entries(apart).map(
    ([name, ask]) => [name, spawn(() => failure(() => ask(client)))] as const,
  );
  silence();
  for (const [name, each] of asking)
    assert.throws(
      () => {
        throw each.get();
      },
      lost,
      name,
    );
}

redisTest('connections apart of a client are given up, whatever they wait for', () =>
  behindGate((gate) => {
    const client = far(gate);
    const count = Object.keys(apart).length;
    allAreGivenUp(client, () => {
      until(() => client.statistics().lent === count && gate.connections === count + 1);
      gate.silence();
    });
    until(() => client.statistics().size === 0);
    client.destroy();
  }),
);

redisTest('connections of a pool are given up, whatever they wait for', () =>
  behindGate((gate) => {
    const socket = { host: gate.host, port: gate.port, ...limits.socket };
    const pool = createClientPool({ ...limits, socket, password }).connect();
    const count = Object.keys(apart).length;
    allAreGivenUp(pool as unknown as Client, () => {
      // And the one that the pings go over, for the command that has no limit.
      until(() => pool.clientsInUse === count && gate.connections === count + 1);
      gate.silence();
    });
    assert.equal(pool.echo('again'), 'again');
    pool.destroy();
  }),
);

redisTest('idle connections of a pool: the first command finds out', () =>
  behindGate((gate) => {
    const socket = { host: gate.host, port: gate.port, ...limits.socket };
    const pool = createClientPool({ ...limits, socket, password }).connect();
    assert.equal(pool.echo('x'), 'x');
    assert.equal(pool.idleClients, 1);
    gate.silence();
    assert.equal(failure(() => pool.echo('lost'))?.code, code);
    assert.equal(pool.echo('again'), 'again');
    pool.close();
  }),
);

redisTest('a subscription goes on', (client) =>
  behindGate((gate) => {
    const subscriber = far(gate);
    using news = subscriber.subscribe('news');
    gate.silence();
    receivesAgain(client, news);
    subscriber.destroy();
  }),
);

function receivesAgain(client: Client, news: Subscription): void {
  until(() => {
    client.publish('news', 'again');
    return news.receive({ timeout: 50 })?.message === 'again';
  });
}

redisTest('a command may block for longer than the limit for silence', () =>
  behindGate((gate) => {
    const client = far(gate, { socket: { socketTimeout: 200 } });
    assert.equal(client.blPop('none', 1), null);
    assert.equal(client.xRead({ key: 'none', id: '$' }, { BLOCK: 900 }), null);
    client.close();
  }),
);

redisTest('a socketTimeout of 0: nothing is found out', () =>
  behindGate((gate) => {
    const client = far(gate, { socket: { socketTimeout: 0 } });
    const other = far(gate);
    gate.silence();
    const asked = spawn(() => failure(() => client.get('key')));
    assert.equal(failure(() => other.get('key'))?.code, code);
    assert.equal(
      failure(() => other.blPop('none', 1)),
      undefined,
    );
    assert.equal(asked.dead, false);
    other.close();
    client.destroy();
  }),
);

test('a cluster: the connection to a node that others keep asking', () =>
  run(() => {
    const servers = new TestCluster();
    const gates = servers.services.map((service) => wait(openGate(service)));
    const at = (i: number) => ({ host: '127.0.0.1', port: gates[i]?.port ?? 0 });
    const nodeAddressMap = Object.fromEntries(
      servers.services.map(({ host, port }, i) => [`${host}:${port}`, at(i)]),
    );
    const cluster = servers.client({
      nodeAddressMap,
      defaults: { password, ...limits },
      commandOptions: { timeout: 200 },
    });
    try {
      cluster.connect();
      const key = servers.keyOf(1);
      cluster.set(key, 'value');
      using messages = cluster.subscribe('news');
      const popping = spawn(() => failure(() => cluster.blPop(key.concat('{', key, '}'), 0)));
      until(() => cluster.statistics().some(({ lent }) => lent === 1));
      for (const gate of gates) gate.silence();
      assert.ok(askUntilAnswered(() => cluster.get(key)) > 0, 'it was silent');
      assert.equal(popping.get({ timeout: 60_000 })?.code, code);
      until(() => {
        cluster.publish('news', 'again');
        return messages.receive({ timeout: 50 })?.message === 'again';
      });
    } finally {
      cluster.destroy();
      for (const gate of gates) wait(gate.close());
      servers.stop();
    }
  }));

test('with sentinels: the connection to the master that others keep asking', () =>
  run(() => {
    const servers = new TestSentinel();
    const [master] = servers.servers;
    assert.ok(master);
    const gate = wait(openGate(master));
    const sentinel = servers.client({
      nodeAddressMap: { [`${master.host}:${master.port}`]: { host: gate.host, port: gate.port } },
      nodeClientOptions: { password, ...limits },
    });
    try {
      sentinel.connect();
      sentinel.set('key', 'value');
      using messages = sentinel.subscribe('news');
      const popping = spawn(() => failure(() => sentinel.blPop('none', 0)));
      until(() => sentinel.statistics()[0]?.lent === 1);
      gate.silence();
      assert.ok(askUntilAnswered(() => sentinel.get('key')) > 0, 'it was silent');
      assert.equal(popping.get({ timeout: 60_000 })?.code, code);
      until(() => {
        sentinel.publish('news', 'again');
        return messages.receive({ timeout: 50 })?.message === 'again';
      });
    } finally {
      sentinel.destroy();
      wait(gate.close());
      servers.stop();
    }
  }));
