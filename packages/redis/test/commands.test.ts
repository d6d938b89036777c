import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spawn } from '@tendril/core';
import { type Client, createClient } from '@tendril/redis';
import { defineScript, RESP_TYPES, WatchError } from 'redis';
import { clientOf, redisTest, until, useServer } from './helpers.js';

useServer();

/** Plain objects and lists: replies have no prototypes. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value ?? null));

const table: Record<string, [(client: Client) => unknown, unknown][]> = {
  strings: [
    [(c) => c.set('s', '1'), 'OK'],
    [(c) => c.SET('s', '5', { condition: 'NX' }), null],
    [(c) => c.get('s'), '1'],
    [(c) => c.incrBy('s', 41), 42],
    [(c) => c.append('s', '!'), 3],
    [(c) => c.mSet({ a: '1', b: '2' }), 'OK'],
    [(c) => c.mGet(['a', 'none', 'b']), ['1', null, '2']],
    [(c) => c.getDel('s'), '42!'],
    [(c) => c.setBit('bits', 7, 1), 0],
    [(c) => c.bitCount('bits'), 1],
  ],
  keys: [
    [(c) => c.set('k', 'v', { expiration: { type: 'EX', value: 100 } }), 'OK'],
    [(c) => c.ttl('k'), 100],
    [(c) => c.persist('k'), 1],
    [(c) => c.expire('k', 0), 1],
    [(c) => c.exists('k'), 0],
    [(c) => c.type('k'), 'none'],
    [(c) => c.dbSize(), 0],
  ],
  hashes: [
    [(c) => c.hSet('h', { a: '1', b: '2' }), 2],
    [(c) => c.hGetAll('h'), { a: '1', b: '2' }],
    [(c) => c.hIncrByFloat('h', 'a', 0.5), '1.5'],
    [(c) => c.hmGet('h', ['b', 'x']), ['2', null]],
    [(c) => c.hDel('h', ['a', 'b']), 2],
  ],
  lists: [
    [(c) => c.rPush('l', ['a', 'b', 'c']), 3],
    [(c) => c.lMove('l', 'm', 'LEFT', 'RIGHT'), 'a'],
    [(c) => c.lRange('l', 0, -1), ['b', 'c']],
    [(c) => c.lPopCount('l', 2), ['b', 'c']],
  ],
  sets: [
    [(c) => c.sAdd('x', ['1', '2', '3']), 3],
    [(c) => c.sAdd('y', '3'), 1],
    [(c) => c.sInter(['x', 'y']), ['3']],
    [(c) => c.sIsMember('x', '9'), 0],
    [(c) => c.sCard('x'), 3],
  ],
  'sorted sets': [
    [
      (c) =>
        c.zAdd('z', [
          { value: 'a', score: 1 },
          { value: 'b', score: 2.5 },
        ]),
      2,
    ],
    [
      (c) => c.zRangeWithScores('z', 0, -1),
      [
        { value: 'a', score: 1 },
        { value: 'b', score: 2.5 },
      ],
    ],
    [(c) => c.zIncrBy('z', 2, 'a'), 3],
    [(c) => c.zRank('z', 'a'), 1],
    [(c) => c.zPopMin('z'), { value: 'b', score: 2.5 }],
  ],
  streams: [
    [(c) => c.xAdd('st', '1-1', { f: 'v' }), '1-1'],
    [(c) => c.xGroupCreate('st', 'g', '0'), 'OK'],
    [
      (c) => c.xReadGroup('g', 'me', { key: 'st', id: '>' }),
      [{ name: 'st', messages: [{ id: '1-1', message: { f: 'v' } }] }],
    ],
    [(c) => c.xPending('st', 'g').pending, 1],
    [(c) => c.xAck('st', 'g', '1-1'), 1],
    [(c) => c.xLen('st'), 1],
  ],
  others: [
    [(c) => c.pfAdd('hll', ['a', 'b', 'a']), 1],
    [(c) => c.pfCount('hll'), 2],
    [(c) => c.geoAdd('geo', { longitude: 13.36, latitude: 38.11, member: 'Palermo' }), 1],
    [
      (c) => c.geoSearch('geo', { longitude: 13, latitude: 38 }, { radius: 99, unit: 'km' }),
      ['Palermo'],
    ],
    [(c) => c.eval('return {KEYS[1], ARGV[1]}', { keys: ['k'], arguments: ['a'] }), ['k', 'a']],
    [(c) => c.sendCommand(['LPOS', 'none', 'x']), null],
    [(c) => c.ping(), 'PONG'],
  ],
};

for (const [name, rows] of Object.entries(table))
  redisTest(`${name}: replies are values`, (client) => {
    for (const [ask, expected] of rows) assert.deepEqual(plain(ask(client)), expected, `${ask}`);
  });

redisTest('an error of the server is thrown, and the connection is as before', (client) => {
  client.set('key', 'text');
  assert.throws(() => client.lPush('key', 'x'), /WRONGTYPE/);
  assert.throws(() => client.eval('return redis.error_reply("MY no")'), /MY no/);
  assert.equal(client.get('key'), 'text');
});

redisTest('scripts are sent once and then by their digest; functions and modules are there', () => {
  const add = defineScript({
    SCRIPT: 'return redis.call("INCRBY", KEYS[1], ARGV[1])',
    NUMBER_OF_KEYS: 1,
    parseCommand(parser, key: string, by: number) {
      parser.pushKey(key);
      parser.push(String(by));
    },
    transformReply: (reply: number) => reply,
  });
  const double = {
    NUMBER_OF_KEYS: 1,
    parseCommand(parser: { pushKey(key: string): void }, key: string) {
      parser.pushKey(key);
    },
    transformReply: (reply: number) => reply,
  };
  const client = clientOf({ scripts: { add }, functions: { math: { double } } }) as Client<
    Record<never, never>,
    { math: { double: typeof double } },
    { add: typeof add }
  >;
  client.scriptFlush();
  const sum: number = client.add('n', 20);
  assert.equal(sum, 20);
  assert.equal(client.add('n', 1), 21);
  const code = `#!lua name=math
    redis.register_function('double', function(keys) return redis.call('GET', keys[1]) * 2 end)`;
  client.functionLoad(code, { REPLACE: true });
  assert.equal(client.math.double('n'), 42);
  assert.throws(() => client.json.get('n'), /unknown command/);
  client.close();
});

redisTest('cursors are plain iterators', (client) => {
  const names = Array.from({ length: 500 }, (_, i) => `key${i}`);
  client.mSet(names.map((name) => [name, 'x'] as [string, string]));
  assert.deepEqual([...client.scanIterator({ COUNT: 50 })].flat().sort(), names.toSorted());
  client.hSet('h', { a: '1', b: '2' });
  assert.deepEqual(plain([...client.hScanIterator('h')].flat()), [
    { field: 'a', value: '1' },
    { field: 'b', value: '2' },
  ]);
  assert.deepEqual([...client.hScanValuesIterator('h')].flat(), ['1', '2']);
  client.sAdd('s', names);
  assert.equal(new Set([...client.sScanIterator('s')].flat()).size, 500);
  client.zAdd('z', { value: 'v', score: 1 });
  assert.deepEqual(plain([...client.zScanIterator('z')]), [[{ value: 'v', score: 1 }]]);
  for (const keys of client.scanIterator()) {
    assert.ok(keys.length > 0);
    break;
  }
});

redisTest('multi: all at once; errors of one; pipelines', (client) => {
  const [set, get, ...rest] = client.multi().set('a', '1').get('a').incr('a').EXEC();
  assert.deepEqual([set, get, ...rest], ['OK', '1', 2]);
  assert.deepEqual(client.multi().ping().echo('x').execAsPipeline(), ['PONG', 'x']);
  assert.throws(() => client.multi().set('a', 'x').lPush('a', 'y').exec(), { name: 'Error' });
});

redisTest('a watched key that changes fails the multi; transaction() tries again', (client) => {
  client.set('n', '0');
  client.execute((session) => {
    session.watch('n');
    client.set('n', '5');
    assert.throws(() => session.multi().incr('n').exec(), WatchError);
  });
  client.set('n', '0');
  let tries = 0;
  const increments = Array.from({ length: 8 }, () =>
    spawn(() =>
      client.transaction(
        'n',
        (session) => {
          tries++;
          const next = Number(session.get('n')) + 1;
          return session.multi().set('n', String(next));
        },
        { retries: 100 },
      ),
    ),
  );
  for (const each of increments) assert.deepEqual(each.get(), ['OK']);
  assert.equal(client.get('n'), '8');
  assert.ok(tries > 8, 'some were in vain');
  assert.equal(
    client.transaction('n', () => undefined),
    undefined,
  );
  assert.throws(
    () =>
      client.transaction(
        'n',
        (session) => {
          client.incr('n');
          return session.multi().get('n');
        },
        { retries: 2 },
      ),
    WatchError,
  );
});

redisTest('views have options of their own', (client) => {
  const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  client.set('k', 'v');
  const value: Buffer | string | null = bytes.get('k');
  assert.deepEqual(value, Buffer.from('v'));
  assert.equal(client.get('k'), 'v');
  const prefixed = clientOf({ keyPrefix: 'app:' });
  prefixed.rPush('l', 'x');
  assert.equal(client.lLen('app:l'), 1);
  const waiting = spawn(() => prefixed.blPop('queue', 0));
  until(() => prefixed.statistics().lent === 1);
  client.rPush('app:queue', 'job');
  assert.deepEqual({ ...waiting.get() }, { key: 'app:queue', element: 'job' });
  prefixed.close();
});

redisTest('select() holds for commands that block, too', (client) => {
  client.rPush('l', 'in 0');
  assert.equal(client.blPop('l', 0)?.element, 'in 0');
  client.select(3);
  client.rPush('l', 'in 3');
  assert.equal(client.blPop('l', 0)?.element, 'in 3');
});

test('clients have one class, whatever their address; those with commands of their own have theirs', () => {
  const script = defineScript({
    SCRIPT: 'return KEYS[1]',
    NUMBER_OF_KEYS: 1,
    parseCommand: (parser, key: string) => parser.pushKey(key),
    transformReply: (reply: unknown) => reply,
  });
  const classOf = (options: object) => createClient(options).constructor;
  const common = classOf({ socket: { port: 1 } });
  assert.equal(classOf({ socket: { port: 2 }, database: 3, keyPrefix: 'app:' }), common);
  assert.notEqual(classOf({ RESP: 2 }), common, 'replies have another form');
  assert.equal(classOf({ RESP: 2, name: 'x' }), classOf({ RESP: 2 }));
  const own = createClient({ scripts: { script } });
  assert.equal(typeof own.script, 'function');
  assert.equal('script' in createClient(), false);
  assert.equal(createClient().constructor === own.constructor, false);
});

test('bad arguments are errors with a code', () => {
  const code = 'ERR_INVALID_ARG';
  assert.throws(() => createClient({ acquireTimeout: -1 }), { code });
  assert.throws(() => createClient({ blockingConnections: 0 }), { code });
  assert.throws(() => createClient('redis://x' as never), { code });
  const client = createClient();
  assert.throws(() => client.select(-1), { code });
  assert.throws(() => client.get('k'), /closed/);
});
