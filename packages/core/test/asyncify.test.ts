/** asyncify(): what it does, and that the types of frameworks go through it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { asyncify, InvalidArgumentError, sleep } from '@tendril/core';
import express from 'express';
import { leaveNothing, same } from './helpers.js';

leaveNothing();

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

  test('has the length, the name and the other properties of its function', () => {
    const mark = Symbol('mark');
    const model = Object.assign(function four(_a: 1, _b: 2, _c: 3, _d: 4) {}, {
      route: '/x',
      [mark]: 1,
    });
    const made = asyncify(model);
    assert.equal(made.length, 4);
    assert.equal(made.name, 'four');
    assert.equal(made.route, '/x');
    assert.equal(made[mark], 1);
    assert.notEqual(made.prototype, model.prototype);
    const arrow = asyncify((_one: string) => {});
    assert.deepEqual([arrow.length, arrow.name], [1, '']);
    assert.equal(asyncify(Object.freeze((_a: 1, _b: 2) => {})).length, 2);
    assert.throws(() => asyncify(5 as never), InvalidArgumentError);
  });

  test('Express calls its error handlers with errors, and with nothing else', async () => {
    const app = express();
    app.get('/', () => {
      throw new Error('boom');
    });
    app.use(
      asyncify(
        (
          error: Error,
          _req: express.Request,
          res: express.Response,
          _next: express.NextFunction,
        ) => {
          sleep(1);
          res.status(418).send(`handled ${error.message}`);
        },
      ),
    );
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const answers = [];
    for (const path of ['/', '/no-such']) {
      const answer = await fetch(origin + path, { headers: { connection: 'close' } });
      answers.push([answer.status, /handled \w+/.exec(await answer.text())?.[0]]);
    }
    server.close();
    await once(server, 'close');
    assert.deepEqual(answers, [
      [418, 'handled boom'],
      [404, undefined],
    ]);
  });
});

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
