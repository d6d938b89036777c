/** blocking(): what it does with clients of all kinds, and that the types of drivers go through it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { blocking, run, Timeout, withTimeout } from '@tendril/core';
import pg from 'pg';
import { makeFetch, Session } from './clients.js';
import { leaveNothing, same } from './helpers.js';

leaveNothing();

class Sessions {
  readonly #all: Session[] = [];
  async connect(): Promise<Session> {
    const session = new Session(`s${this.#all.length}`);
    this.#all.push(session);
    return session;
  }
  async owns(session: Session): Promise<boolean> {
    return this.#all.includes(session);
  }
  async list(): Promise<Session[]> {
    return this.#all;
  }
  async plain(): Promise<{ rows: number[] }> {
    return { rows: [1] };
  }
  async when(): Promise<Date> {
    return new Date(0);
  }
  async bytes(): Promise<Buffer> {
    return Buffer.from('x');
  }
  async map(): Promise<Map<string, number>> {
    return new Map([['a', 1]]);
  }
  async answer(): Promise<Response> {
    return new Response('text');
  }
}

describe('blocking()', () => {
  test('what a promise brings is blocking, too, if it is a client', () =>
    run(() => {
      const sessions = blocking(new Sessions());
      const session = sessions.connect();
      assert.equal(session.query('q'), 's0: q');
      assert.equal(session.name, 's0');
      assert.ok(session instanceof Session);
      assert.equal(session.chain().query('c'), 's0: c');
      assert.equal(session.self(), session, 'one object, one view');
      assert.equal(sessions.owns(session), true, 'a view that is passed on is the object itself');
      assert.equal(blocking(session), session);
      assert.equal(blocking(new Sessions()) === sessions, false);
      session.release();
      assert.throws(() => session.query('late'), /closed/);
    }));

  test('values come as they are', () =>
    run(async () => {
      const sessions = blocking(new Sessions());
      assert.deepEqual(structuredClone(sessions.plain()), { rows: [1] });
      assert.deepEqual(structuredClone(sessions.when()), new Date(0));
      assert.ok(Buffer.isBuffer(sessions.bytes()));
      assert.equal(structuredClone(sessions.map()).get('a'), 1);
      sessions.connect();
      const [first] = sessions.list();
      assert.ok(first?.query('q') instanceof Promise, 'what stands in an array is as it was');
      await sessions.answer().text();
    }));

  test('files of fs.promises', () =>
    run(() => {
      const files = blocking(fs.promises);
      const file = files.open(new URL(import.meta.url));
      try {
        const buffer = Buffer.alloc(2);
        const { bytesRead } = file.read(buffer, 0, 2, 0);
        assert.equal(buffer.toString('latin1', 0, bytesRead), '/*');
        assert.ok(file.stat().size > 100);
      } finally {
        file.close();
      }
      assert.throws(() => files.readFile('/nonexistent'), { code: 'ENOENT' });
    }));

  test('a promise that does not settle is left by a timeout', () =>
    run(() => {
      const client = blocking({ never: () => new Promise<number>(() => {}) });
      assert.throws(() => withTimeout(5, () => client.never()), Timeout);
    }));

  test('properties are set on the client', () =>
    run(() => {
      const client = { limit: 1, get: async () => client.limit };
      const view = blocking(client) as { limit: number; get(): number };
      view.limit = 5;
      assert.equal(view.get(), 5);
    }));
});

class Account {
  static #made = 0;
  static {
    // What every use of it goes through.
    Object.freeze(Account.prototype);
  }
  static async count(): Promise<number> {
    return Account.#made;
  }
  static of(name: string): Account {
    return new Account(name);
  }
  readonly #name: string;
  constructor(name: string) {
    this.#name = name;
    Account.#made++;
  }
  get shown(): string {
    return `<${this.#name}>`;
  }
  async load(): Promise<string> {
    await null;
    return this.#name;
  }
}

describe('blocking() of functions and classes', () => {
  test('a function client parks when it is called, and has its methods', () =>
    run(() => {
      const raw = makeFetch('/api');
      const fetch = blocking(raw);
      const answer = fetch('/a');
      same<typeof answer, string>();
      assert.equal(answer, '/api/a');
      assert.equal(fetch.post('/b', 'body'), '/api/b body');
      assert.equal(fetch.prefix, '/api');
      assert.equal(typeof fetch, 'function');
      assert.equal(fetch.length, 1);
      assert.equal(fetch.name, 'fetch');
      assert.equal(fetch.call(undefined, '/c'), '/api/c');
      assert.equal(fetch.apply(undefined, ['/d']), '/api/d');
      assert.equal(fetch.bind(undefined, '/e')(), '/api/e');
      assert.equal(fetch.itself(), fetch);
      assert.equal(blocking(raw), fetch);
      // Whose calls return no promise are what they were.
      assert.ok(fetch.extend('/v2')('/f') instanceof Promise);
    }));

  test('a member that is a function with methods, or a class, is a view as well', () =>
    run(() => {
      const query = Object.assign(async (text: string) => text, {
        prepared: async (name: string) => `prepared ${name}`,
      });
      const client = blocking({ query, Account, base: 1 });
      assert.equal(client.query('q'), 'q');
      assert.equal(client.query, client.query);
      assert.equal(
        (client.query as typeof client.query & { prepared(name: string): string }).prepared('p'),
        'prepared p',
      );
      assert.equal(client.query.length, 1);
      const account = new client.Account('a');
      assert.equal((account as unknown as { load(): string }).load(), 'a');
    }));

  test('`new` of a class gives a blocking object; static methods park', () =>
    run(() => {
      const BlockingAccount = blocking(Account);
      const account = new BlockingAccount('a');
      const name = account.load();
      same<typeof name, string>();
      assert.equal(name, 'a');
      assert.equal(account.shown, '<a>', 'getters see the object itself');
      assert.ok(account instanceof Account);
      assert.ok(account instanceof BlockingAccount);
      assert.equal(account.constructor, Account);
      const before = BlockingAccount.count();
      same<typeof before, number>();
      BlockingAccount.of('b');
      assert.equal(BlockingAccount.count(), before + 1);
      assert.equal(BlockingAccount.prototype, Account.prototype);
      assert.throws(() => (BlockingAccount as unknown as () => void)(), TypeError);
      assert.throws(() => new (blocking(makeFetch('')) as never as new () => void)(), TypeError);
      class Own extends (BlockingAccount as unknown as typeof Account) {
        #mine = 'mine';
        async both() {
          return `${this.#mine} ${await this.load()}`;
        }
      }
      const own = new Own('o');
      assert.ok(own instanceof Account);
      assert.equal(blocking(own).both(), 'mine o');
    }));
});

class Feed {
  readonly #items: number[];
  closed = 0;
  constructor(items: number[]) {
    this.#items = items;
  }
  async *items(): AsyncGenerator<number, string, undefined> {
    try {
      for (const item of this.#items) {
        await null;
        if (item < 0) throw new RangeError('below');
        yield item;
      }
      return 'all';
    } finally {
      this.closed++;
    }
  }
  [Symbol.asyncIterator]() {
    return this.items();
  }
  async later(): Promise<AsyncGenerator<number>> {
    return this.items();
  }
  readable(): Readable {
    return Readable.from(['a']);
  }
}

describe('blocking() of async iterators', () => {
  test('`for … of` parks for each; it is left and fails as `for await` is', () =>
    run(() => {
      const raw = new Feed([1, 2, 3]);
      const feed = blocking(raw);
      const items = [...feed.items()];
      same<typeof items, number[]>();
      assert.deepEqual(items, [1, 2, 3]);
      assert.deepEqual([...feed], [1, 2, 3], 'a client that is async iterable');
      assert.deepEqual([...feed.later()], [1, 2, 3]);
      assert.equal(raw.closed, 3);
      for (const item of feed.items()) if (item === 2) break;
      assert.equal(raw.closed, 4, 'left in the middle');
      const step = feed.items().next();
      assert.deepEqual(step, { value: 1, done: false });
      const failing = new Feed([1, -1]);
      assert.throws(() => [...blocking(failing).items()], RangeError);
      assert.equal(failing.closed, 1);
      assert.ok(Symbol.iterator in feed);
    }));

  test('`for await` works as ever; streams come as they are', () =>
    run(async () => {
      const feed = blocking(new Feed([1, 2]));
      const stream = feed.readable();
      assert.ok(
        stream instanceof Readable && stream.pipe(new PassThrough()) instanceof PassThrough,
      );
      const iterator = feed.items();
      const got: number[] = [];
      for await (const item of feed) got.push(item);
      for await (const item of iterator) got.push(item);
      assert.deepEqual(got, [1, 2, 1, 2]);
    }));
});

/** Compiled, and never called. */
export function typesOfDrivers(): unknown[] {
  const pool = blocking(new pg.Pool());
  const one = pool.query('SELECT 1');
  const count: number | null = one.rowCount;
  const two = pool.query('SELECT $1', [1, 'a']);
  const three = pool.query({ text: 'SELECT 1', rowMode: 'array' });
  const client = pool.connect();
  const four = client.query({ text: 'SELECT $1', values: [1] });
  client.release();
  client.release(new Error('broken'));
  // @ts-expect-error a number is no query
  pool.query(5);
  // @ts-expect-error there is no promise any more
  pool.query('SELECT 1').then;
  const single = blocking(new pg.Client());
  single.connect();
  single.end();

  const files = blocking(fs.promises);
  same<ReturnType<typeof readText>, string>();
  function readText() {
    return files.readFile('x', 'utf8');
  }
  const bytes: Buffer = files.readFile('x');
  const text: string = files.readFile('x', { encoding: 'utf8' });
  const names: string[] = files.readdir('x');
  const entries: fs.Dirent[] = files.readdir('x', { withFileTypes: true });
  const file = files.open('x');
  const read: number = file.read(Buffer.alloc(1)).bytesRead;
  file.close();

  const mixed = blocking({
    promised: async (n: number) => n,
    plain: (n: number) => `${n}`,
    value: 7,
  });
  same<ReturnType<typeof mixed.promised>, number>();
  same<ReturnType<typeof mixed.plain>, string>();
  same<typeof mixed.value, number>();
  return [count, two.rows[0], three.rows[0], four.rows[0]?.x, bytes, text, names, entries, read];
}
