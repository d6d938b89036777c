/** blocking() and asyncify(): what they do, and that the types of drivers and frameworks go through them. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, test } from 'node:test';
import { asyncify, blocking, run, sleep, Timeout, withTimeout } from '@tendril/core';
import express from 'express';
import pg from 'pg';
import { leaveNothing } from './helpers.js';

leaveNothing();

/** Compiles if both are the very same type. */
function same<A, B>(
  ..._proof: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? [] : ['differ']
): void {}

class Session {
  #open = true;
  readonly name: string;
  readonly config = { host: 'here' };

  constructor(name: string) {
    this.name = name;
  }
  async query(text: string): Promise<string> {
    await null;
    if (!this.#open) throw new Error('closed');
    return `${this.name}: ${text}`;
  }
  release(): void {
    this.#open = false;
  }
  chain(): this {
    return this;
  }
  async self(): Promise<this> {
    return this;
  }
}

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

  test('what cannot change is given as it is, and properties are set on the client', () =>
    run(() => {
      const frozen = Object.freeze({ plain: () => 1 });
      assert.equal(blocking(frozen).plain(), 1);
      const client = { limit: 1, get: async () => client.limit };
      const view = blocking(client) as { limit: number; get(): number };
      view.limit = 5;
      assert.equal(view.get(), 5);
    }));
});

describe('asyncify()', () => {
  test('runs in a greenlet, keeps `this`, and gives a promise', async () => {
    const handler = {
      base: 2,
      add: asyncify(function (this: { base: number }, n: number) {
        sleep(1);
        return this.base + n;
      }),
    };
    const result = handler.add(3);
    same<typeof result, Promise<number>>();
    assert.equal(await result, 5);
  });
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

/** Compiled, and never called. */
export function typesOfFrameworks(): unknown {
  const app = express();
  app.get(
    '/',
    asyncify((req, res) => {
      res.json({ query: req.query.a });
    }),
  );
  app.get(
    '/:id',
    asyncify((req, res) => {
      const id: string = req.params.id;
      res.send(id);
    }),
  );
  app.use(
    asyncify((req, _res, next) => {
      if (req.url) next();
    }),
  );
  app.use(
    asyncify(
      (error: Error, _req: express.Request, _res: express.Response, next: express.NextFunction) => {
        next(error);
      },
    ),
  );
  express.Router().post(
    '/',
    asyncify((req, res) => {
      // @ts-expect-error there is no such method
      res.answer();
      res.status(201).send(req.body);
    }),
  );
  const plain = asyncify((a: number, b?: string) => `${a}${b}`);
  const promise = plain(1);
  same<typeof promise, Promise<string>>();
  const explicit = asyncify<[number], string>((n) => `${n}`);
  const text: Promise<string> = explicit(1);
  return [app, text, promise, plain(1, 'b'), asyncify(async () => 5)().then((n) => n + 1)];
}
