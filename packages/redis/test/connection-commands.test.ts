/** Commands that change the connection they go over. */
import assert from 'node:assert/strict';
import { type Greenlet, getCurrent, spawn, Timeout } from '@tendril/core';
import {
  type Client,
  type ClientPool,
  createClientPool,
  createCluster,
  createSentinel,
  type Session,
} from '@tendril/redis';
import { failure } from './asker.js';
import { address, clientOf, password, redisTest, until, useServer } from './helpers.js';

useServer();

const code = 'ERR_REDIS_CONNECTION_COMMAND';

/** Nowhere, since node-redis could not go on. */
const never = [
  ['SUBSCRIBE', 'c'],
  ['psubscribe', 'c*'],
  ['SSUBSCRIBE', 'c'],
  ['UNSUBSCRIBE'],
  ['MONITOR'],
  ['CLIENT', 'REPLY', 'OFF'],
  ['client', 'reply', 'skip'],
  ['HELLO', '2'],
  ['RESET'],
  ['QUIT'],
];
/** Not where others would suffer from it. */
const apart = [
  ['MULTI'],
  ['exec'],
  ['DISCARD'],
  ['WATCH', 'k'],
  ['UNWATCH'],
  ['SELECT', '1'],
  ['ASKING'],
  ['CLIENT', 'CACHING', 'YES'],
];

function eachWithPool(body: (pool: ClientPool) => void): void {
  const options = { maximum: 1 };
  const pool = createClientPool({ socket: address(), password, name: 'mine' }, options).connect();
  try {
    body(pool);
  } finally {
    pool.close();
  }
}

redisTest(
  'a connection that others use, too: they are refused, and it says what to use',
  (client) => {
    eachWithPool((pool) => {
      const cluster = createCluster({ rootNodes: [{ socket: address() }] });
      const sentinel = createSentinel({ name: 'main', sentinelRootNodes: [address()] });
      for (const args of [...never, ...apart]) {
        for (const ask of [
          () => client.sendCommand(args),
          () => client.sendCommand(args.map((each) => Buffer.from(each))),
          () => pool.sendCommand(args),
          () => cluster.sendCommand('k', false, args),
          () => sentinel.sendCommand(false, args),
          () => client.multi().addCommand(args).exec(),
          () => client.multi().addCommand(args).execAsPipeline(),
          () => pool.multi().addCommand(args).exec(),
        ])
          assert.throws(ask, { code, message: /Use .+\./ }, `${args}`);
      }
      assert.throws(() => client.hello(2), { code });
      assert.throws(() => client.asking(), { code });
      assert.throws(() => client.clientCaching(true), { code });
      assert.throws(() => client.multi().select(1).get('k').exec(), { code });
      assert.throws(() => client.multi().blPop('k', 0).execAsPipeline(), { code });
      assert.deepEqual(client.multi().blPop('k', 0).exec(), [null], 'it does not block there');
    });
    assert.equal(client.clientInfo().db, 0);
    assert.equal(client.echo('x'), 'x');
  },
);

redisTest('a session may have all but those with which node-redis could not go on', (client) => {
  client.execute((session) => {
    for (const args of never) assert.throws(() => session.sendCommand(args), { code }, `${args}`);
    for (const args of never)
      assert.throws(() => session.multi().addCommand(args).exec(), { code }, `${args}`);
    assert.equal(session.sendCommand(['MULTI']), 'OK');
    assert.equal(session.sendCommand(['SET', 'k', 'v']), 'QUEUED');
    assert.deepEqual(session.sendCommand(['EXEC']), ['OK']);
    assert.equal(session.sendCommand(['SELECT', '3']), 'OK');
    assert.equal(session.get('k'), null);
  });
});

type Use = (session: Session) => unknown;
const leaving: Record<string, Use> = {
  'SELECT by sendCommand': (s) => s.sendCommand(['SELECT', '3']),
  'SELECT in small letters': (s) => s.sendCommand(['select', '3']),
  'SELECT in a multi': (s) => s.multi().select(3).ping().exec(),
  'SELECT in a pipeline': (s) => s.multi().select(3).ping().execAsPipeline(),
  'CLIENT SETNAME': (s) => s.clientSetName('other'),
  'CLIENT NO-EVICT': (s) => s.clientNoEvict(true),
  'CLIENT TRACKING': (s) => s.sendCommand(['CLIENT', 'TRACKING', 'ON']),
  READONLY: (s) => failure(() => s.readonly()),
  MULTI: (s) => s.sendCommand(['MULTI']),
  'MULTI with commands': (s) => {
    s.sendCommand(['MULTI']);
    s.sendCommand(['SET', 'k', 'left']);
  },
  WATCH: (s) => s.watch('k'),
  'WATCH by sendCommand': (s) => s.sendCommand(['WATCH', 'k']),
};

/** What the server says of the only connection of the pool. */
function stateOf(pool: ClientPool): object {
  const { db, name, multi, watch, flags } = pool.clientInfo() as unknown as Record<string, unknown>;
  return { db, name, multi, watch, flags };
}

for (const [name, use] of Object.entries(leaving)) {
  redisTest(`${name}: the next finds nothing of it`, () =>
    eachWithPool((pool) => {
      const clean = stateOf(pool);
      const id = pool.clientId();
      pool.execute((session) => {
        use(session);
      });
      assert.deepEqual(stateOf(pool), clean);
      // RESET leaves that alone, at least in Redis 7.0.
      if (name !== 'CLIENT NO-EVICT') assert.equal(pool.clientId(), id, 'it was made as new');
      assert.deepEqual(pool.multi().set('k', 'v').get('k').exec(), ['OK', 'v']);
    }),
  );
  redisTest(`${name}, whose greenlet gave up at any time: the next finds nothing of it`, () =>
    eachWithPool((pool) => {
      const clean = stateOf(pool);
      for (const error of [undefined, new Error('a kill of one’s own')]) {
        let inside: Greenlet | undefined;
        const used = spawn(() =>
          pool.execute((session) => {
            inside = getCurrent();
            use(session);
            session.blPop('none', 0);
          }),
        );
        until(() => inside !== undefined);
        used.kill(error && { error });
        assert.deepEqual(stateOf(pool), clean);
      }
    }),
  );
}

redisTest('a database of its own is gone back to', () => {
  const options = { socket: address(), password, database: 2 };
  const pool = createClientPool(options, { maximum: 1 }).connect();
  pool.execute((session) => session.multi().select(3).set('k', 'v').exec());
  assert.equal(pool.clientInfo().db, 2);
  const reset = createClientPool({ ...options, RESP: 2 }, { maximum: 1 }).connect();
  const id = reset.clientId();
  reset.execute((session) => session.sendCommand(['SELECT', '0']));
  assert.equal(reset.clientInfo().db, 2);
  assert.equal(reset.clientId(), id);
  pool.close();
  reset.close();
});

redisTest('a session with a WATCH or MULTI is its greenlet’s alone', (client) => {
  client.set('n', '0');
  client.execute((session) => {
    const other = (use: () => unknown) => spawn(() => failure(use)).get()?.code;
    assert.equal(
      other(() => session.get('n')),
      undefined,
    );
    session.watch('n');
    assert.equal(
      other(() => session.multi().incr('n').exec()),
      'ERR_CONCURRENT_USE',
    );
    assert.deepEqual(session.multi().incr('n').exec(), [1], 'whose WATCH holds');
    session.sendCommand(['MULTI']);
    assert.equal(
      other(() => session.get('n')),
      'ERR_CONCURRENT_USE',
    );
    session.sendCommand(['DISCARD']);
    assert.equal(
      other(() => session.get('n')),
      undefined,
    );
  });
});

redisTest('two greenlets in transactions on one client do not mix', (client) => {
  client.set('a', '0');
  client.set('b', '0');
  const add = (key: string, other: string) =>
    spawn(() => {
      for (let n = 0; n < 50; n++) {
        const limit = new Timeout(n % 3 === 0 ? 1 : 5000);
        try {
          using _limit = limit.start();
          client.transaction(
            key,
            (session) => {
              const next = Number(session.get(key)) + 1;
              client.get(other);
              return session.multi().set(key, String(next)).set(`${key}:${next}`, 'x');
            },
            { retries: 1000 },
          );
        } catch (error) {
          if (error !== limit) throw error;
        }
      }
    });
  for (const each of [add('a', 'b'), add('b', 'a'), add('a', 'b'), add('b', 'a')]) each.get();
  for (const key of ['a', 'b']) {
    const count = Number(client.get(key));
    assert.ok(count >= 66, `${count}`);
    assert.equal(client.keys(`${key}:*`).length, count, 'each is carried out whole, or not at all');
  }
  until(() => client.statistics().lent === 0);
  leftNothing(client);
});

/** No connection of the server's is in a transaction, has a WATCH, or another database. */
function leftNothing(client: Client): void {
  for (const { multi, watch, db } of client.clientList() as unknown as Record<string, number>[])
    assert.deepEqual([multi, watch ?? 0, db], [-1, 0, 0]);
}

redisTest('CLIENT SETNAME and its like are for the whole of a shared connection', () => {
  const client = clientOf();
  client.clientSetName('me');
  assert.equal(client.clientGetName(), 'me');
  client.close();
});
