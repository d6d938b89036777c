/** Applications of well-known frameworks, with synchronous handlers, under patchHttp(). */
import './patched.js';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http, { type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Event } from '@tendril/core';
import { restore } from '@tendril/core/monkey';
import { checkLeaks } from '@tendril/core/testing';
import connect from 'connect';
import express from 'express';
import fastify from 'fastify';
import Koa from 'koa';
import { WebSocket, WebSocketServer } from 'ws';

after(() => {
  restore();
  checkLeaks();
});

const clients = 50;
const here = fileURLToPath(import.meta.url);
const size = readFileSync(here).length;

/** Blocks in the middle of a handler until `clients` of them are here at once, as only parked ones can. */
function barrier(): () => void {
  let full = new Event();
  let waiting = 0;
  return () => {
    const mine = full;
    if (++waiting === clients) {
      waiting = 0;
      full = new Event();
      mine.set();
    }
    mine.wait();
  };
}

interface Answer {
  size: number;
  said: unknown;
}

/** What every handler below does, in plain synchronous code. */
function makeWork(): (said: unknown) => Answer {
  const meet = barrier();
  return (said) => {
    const read = readFileSync(here).length;
    meet();
    return { size: read, said };
  };
}

async function check(listener: RequestListener, withBodies = true): Promise<void> {
  const server = http.createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const all = Array.from({ length: clients }, (_, index) => index);
  try {
    const gets = all.map(async (n) => (await fetch(`${root}/hello/${n}`)).json());
    assert.deepEqual(
      await Promise.all(gets),
      all.map((n) => ({ size, said: `/hello/${n}` })),
    );
    if (!withBodies) return;
    const posts = all.map(async (n) => {
      const answer = await fetch(`${root}/echo`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ n, text: 'x'.repeat(n * 2000) }),
      });
      return ((await answer.json()) as { said: { n: number; text: string } }).said;
    });
    const said = await Promise.all(posts);
    assert.deepEqual(
      said.map(({ n, text }) => [n, text.length]),
      all.map((n) => [n, n * 2000]),
    );
  } finally {
    const closed = once(server, 'close');
    server.closeAllConnections();
    server.close();
    await closed;
  }
}

describe('fifty requests wait at the same time in synchronous handlers of', () => {
  it('Express 5', async () => {
    const work = makeWork();
    const app = express();
    app.use(express.json({ limit: '1mb' }));
    app.get('/hello/:n', (req, res) => {
      res.json(work(req.url));
    });
    app.post('/echo', (req, res) => {
      res.json(work(req.body));
    });
    await check(app);
  });

  it('Koa 3', async () => {
    const work = makeWork();
    const app = new Koa();
    app.use((ctx, next) => {
      ctx.set('x-first', 'yes');
      return next();
    });
    app.use((ctx) => {
      ctx.body = work(ctx.url);
    });
    await check(app.callback(), false);
  });

  it('Connect 3', async () => {
    const work = makeWork();
    const app = connect();
    app.use(express.json({ limit: '1mb' }) as connect.NextHandleFunction);
    app.use((req, res) => {
      const { body } = req as typeof req & { body?: unknown };
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify(work(req.method === 'POST' ? body : req.url)));
    });
    await check(app);
  });

  it('Fastify 5', async () => {
    const work = makeWork();
    const app = fastify();
    app.get('/hello/:n', (request, reply) => {
      reply.send(work(request.url));
    });
    app.post('/echo', (request, reply) => {
      reply.send(work(request.body));
    });
    await app.ready();
    await check((req, res) => app.routing(req, res));
    await app.close();
  });
});

describe('an error that a synchronous handler throws after it has waited', () => {
  it("goes to Express's error handler", async () => {
    const app = express();
    app.get('/', () => {
      readFileSync(here);
      readFileSync(`${here}/missing`);
    });
    app.use(((error, _req, res, _next) => {
      res.status(500).json({ code: error.code, syscall: error.syscall });
    }) satisfies express.ErrorRequestHandler);
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    assert.equal(answer.status, 500);
    assert.deepEqual(await answer.json(), { code: 'ENOTDIR', syscall: 'open' });
    const closed = once(server, 'close');
    server.closeAllConnections();
    server.close();
    await closed;
  });
});

describe('an upgrade', () => {
  it('to a WebSocket of ws, after synchronous work', async () => {
    const sockets = new WebSocketServer({ noServer: true });
    sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`${data}!`)));
    const server = http.createServer().listen(0, '127.0.0.1');
    server.on('upgrade', (req, socket, head) => {
      readFileSync(here);
      sockets.handleUpgrade(req, socket, head, (client) => sockets.emit('connection', client, req));
    });
    await once(server, 'listening');
    const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await once(client, 'open');
    client.send('hello');
    const [data] = await once(client, 'message');
    assert.equal(String(data), 'hello!');
    client.close();
    await once(client, 'close');
    const closed = once(server, 'close');
    server.close();
    await closed;
  });
});
