/** The handlers of HTTP requests run in greenlets. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { after, describe, it } from 'node:test';
import { Event, getCurrent, sleep, wait } from '@tendril/core';
import { patchHttp, restore } from '@tendril/core/monkey';
import { leaveNothing } from '../helpers.js';
import { barrier, listening, portOf, request, serving } from './serving.js';

leaveNothing();

const madeBefore = http.createServer();
patchHttp();
after(() => restore());

describe('the handler of a request', () => {
  it('runs in a greenlet, so that all of them wait at the same time', async () => {
    const meet = barrier(50);
    await serving(
      (req, res) => {
        meet();
        res.end(req.url);
      },
      async (port) => {
        const paths = Array.from({ length: 50 }, (_, index) => `/${index}`);
        const answers = await Promise.all(paths.map((path) => request(port, { path })));
        assert.deepEqual(
          answers.map(({ body }) => body),
          paths,
        );
      },
    );
  });

  it('goes on in a greenlet when it has heard the end of the body', async () => {
    const meet = barrier(20);
    await serving(
      (req, res) => {
        let body = '';
        req.setEncoding('utf8').on('data', (part: string) => {
          body += part;
        });
        req.on('end', () => {
          meet();
          res.end(body.toUpperCase());
        });
      },
      async (port) => {
        const bodies = Array.from({ length: 20 }, (_, index) => `body ${index}`);
        const answers = await Promise.all(
          bodies.map((body) => request(port, { method: 'POST' }, body)),
        );
        assert.deepEqual(
          answers.map(({ body }) => body),
          bodies.map((body) => body.toUpperCase()),
        );
      },
    );
  });

  it('of a server that was made before the patch is no exception', async () => {
    madeBefore.on('request', (_req, res) => {
      sleep(1);
      res.end('parked');
    });
    await listening(madeBefore);
    assert.equal((await request(portOf(madeBefore))).body, 'parked');
    const closed = once(madeBefore, 'close');
    madeBefore.close();
    await closed;
  });

  it('has the AsyncLocalStorage that it enters for itself', async () => {
    const storage = new AsyncLocalStorage<string | undefined>();
    const meet = barrier(10);
    await serving(
      (req, res) => {
        storage.enterWith(req.url);
        meet();
        req.resume().on('end', () => {
          sleep(1);
          res.end(storage.getStore());
        });
      },
      async (port) => {
        const paths = Array.from({ length: 10 }, (_, index) => `/${index}`);
        const answers = await Promise.all(paths.map((path) => request(port, { path })));
        assert.deepEqual(
          answers.map(({ body }) => body),
          paths,
        );
        assert.equal(storage.getStore(), undefined);
      },
    );
  });

  it('may be async: what follows its first await is outside', async () => {
    const inGreenlet: boolean[] = [];
    await serving(
      async (_req, res) => {
        sleep(1);
        inGreenlet.push(Boolean(getCurrent()));
        await null;
        inGreenlet.push(Boolean(getCurrent()));
        res.end();
      },
      async (port) => {
        await request(port);
        assert.deepEqual(inGreenlet, [true, false]);
      },
    );
  });

  it('answers pipelined requests in their order, whoever is ready first', async () => {
    const second = new Event();
    await serving(
      (req, res) => {
        if (req.url === '/first') second.wait();
        res.end(`${req.url};`);
        if (req.url === '/second') second.set();
      },
      async (port) => {
        const socket = net.connect(port, '127.0.0.1');
        const head = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
        socket.write(head('/first') + head('/second', 'Connection: close\r\n'));
        const answer = await text(socket);
        assert.ok(answer.indexOf('/first;') > 0);
        assert.ok(answer.indexOf('/second;') > answer.indexOf('/first;'), answer);
      },
    );
  });

  it('is told when its client goes, and goes on', async () => {
    const heard: string[] = [];
    const over = new Event();
    await serving(
      (req, res) => {
        const closed = new Event();
        req.on('close', () => heard.push('request'));
        res.on('close', () => {
          heard.push('response');
          closed.set();
        });
        closed.wait();
        heard.push('handler');
        over.set();
      },
      async (port) => {
        const client = http.get({ port, host: '127.0.0.1', agent: false });
        client.on('error', () => {});
        const [socket] = (await once(client, 'socket')) as [net.Socket];
        await once(socket, 'connect');
        client.destroy();
        await new Promise<void>((resolve) => {
          const look = () => (over.isSet() ? resolve() : setImmediate(look));
          look();
        });
        assert.deepEqual([...heard].sort(), ['handler', 'request', 'response']);
      },
    );
  });

  it('ends its request although the server has been closed meanwhile', async () => {
    const go = new Event();
    const server = await listening(http.createServer());
    const handled = new Promise<void>((resolve) => {
      server.on('request', (_req, res) => {
        resolve();
        go.wait();
        res.end('still here');
      });
    });
    const closed = once(server, 'close');
    const answer = request(portOf(server));
    await handled;
    server.close();
    go.set();
    assert.equal((await answer).body, 'still here');
    await closed;
  });

  it('serves keep-alive connections', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    let connections = 0;
    await serving(
      (req, res) => {
        sleep(1);
        res.end(req.url);
      },
      async (port, server) => {
        server.on('connection', () => connections++);
        for (const path of ['/1', '/2', '/3'])
          assert.equal((await request(port, { path, agent })).body, path);
        assert.equal(connections, 1);
        agent.destroy();
      },
    );
  });

  it('parks in a promise', async () => {
    await serving(
      (_req, res) => res.end(wait(Promise.resolve('value'))),
      async (port) => assert.equal((await request(port)).body, 'value'),
    );
  });
});
