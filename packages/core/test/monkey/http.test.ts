/** HTTP servers whose events run in greenlets. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import http, { type IncomingMessage, type RequestListener } from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, describe, it } from 'node:test';
import { Event, getCurrent, sleep, wait } from '@tendril/core';
import { getOriginal, isPatched, patchHttp, restore } from '@tendril/core/monkey';
import { leaveNothing } from '../helpers.js';
import { makeCertificate, temporaryFolder } from '../io-helpers.js';

leaveNothing();

const madeBefore = http.createServer();
patchHttp();
after(() => restore());

async function listening<S extends net.Server>(server: S): Promise<S> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const portOf = (server: net.Server) => (server.address() as AddressInfo).port;

/** A server of `handler`, for as long as `use` needs it. */
async function serving(
  handler: RequestListener | undefined,
  use: (port: number, server: http.Server) => Promise<void>,
): Promise<void> {
  const server = await listening(http.createServer(handler));
  try {
    await use(portOf(server), server);
  } finally {
    const closed = once(server, 'close');
    server.closeAllConnections();
    server.close();
    await closed;
  }
}

async function request(
  port: number,
  options: http.RequestOptions = {},
  body?: string,
): Promise<{ status: number | undefined; body: string; answer: IncomingMessage }> {
  const client = http.request({ port, host: '127.0.0.1', agent: false, ...options });
  client.end(body);
  const [answer] = (await once(client, 'response')) as [IncomingMessage];
  return { status: answer.statusCode, body: await text(answer), answer };
}

/** Parks until so many are parked here at the same time. */
function barrier(size: number): () => void {
  const full = new Event();
  let waiting = 0;
  return () => {
    if (++waiting === size) full.set();
    full.wait();
  };
}

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
});

describe('other events', () => {
  it('upgrade: the handler parks before it takes the connection, and loses nothing', async () => {
    await serving(undefined, async (port, server) => {
      server.on('upgrade', (_req, socket, head) => {
        sleep(5);
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n');
        socket.write(head);
        socket.pipe(socket);
      });
      const socket = net.connect(port, '127.0.0.1');
      socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\none ');
      socket.write('two');
      let received = '';
      for await (const part of socket.setEncoding('utf8')) {
        received += part;
        if (received.endsWith('one two')) break;
      }
      assert.match(received, /^HTTP\/1\.1 101 /);
    });
  });

  it('connect', async () => {
    await serving(undefined, async (port, server) => {
      server.on('connect', (req, socket) => {
        sleep(1);
        socket.end(`HTTP/1.1 200 OK\r\n\r\n${req.url}`);
      });
      const socket = net.connect(port, '127.0.0.1');
      socket.write('CONNECT there:1 HTTP/1.1\r\nHost: a\r\n\r\n');
      assert.match(await text(socket), /there:1$/);
    });
  });

  it('checkContinue and checkExpectation', async () => {
    await serving(undefined, async (port, server) => {
      server.on('checkContinue', (req, res) => {
        sleep(1);
        res.writeContinue();
        req.resume().on('end', () => res.end('continued'));
      });
      server.on('checkExpectation', (_req, res) => {
        sleep(1);
        res.writeHead(417);
        res.end();
      });
      const headers = { expect: '100-continue' };
      assert.equal((await request(port, { method: 'POST', headers }, 'x')).body, 'continued');
      assert.equal((await request(port, { headers: { expect: 'tea' } })).status, 417);
    });
  });

  it('emit says whether anybody listens', () => {
    const server = http.createServer();
    assert.equal(server.emit('request'), false);
    assert.equal(server.emit('connect'), false);
  });

  it('of a request or a response that closes before its handler starts come after that', async () => {
    const heard: string[] = [];
    const over = new Promise<void>((resolve) => {
      const server = http.createServer((req, res) => {
        heard.push('handler');
        for (const event of ['aborted', 'close']) req.on(event, () => heard.push(event));
        res.on('close', () => {
          heard.push('response');
          resolve();
        });
      });
      const req = new http.IncomingMessage(new net.Socket());
      req.method = 'GET';
      const res = new http.ServerResponse(req);
      server.emit('request', req, res);
      req.emit('aborted');
      req.emit('close');
      res.emit('close');
    });
    assert.deepEqual(heard, []);
    await over;
    assert.deepEqual(heard, ['handler', 'aborted', 'close', 'response']);
  });

  it('a connection that breaks before its upgrade is handled breaks nothing else', async () => {
    const server = http.createServer();
    const socket = new net.Socket();
    const handled = once(server, 'upgrade');
    server.emit('upgrade', new http.IncomingMessage(socket), socket, Buffer.alloc(0));
    socket.emit('error', new Error('ECONNRESET'));
    await handled;
    assert.equal(socket.listenerCount('error'), 0);
  });

  it('the answers that a client gets stay as they are', async () => {
    await serving(
      (_req, res) => res.end('x'),
      async (port) => {
        const { answer } = await request(port);
        const inGreenlet = await new Promise<boolean>((resolve) => {
          answer.on('end', () => resolve(Boolean(getCurrent())));
          assert.equal(answer.emit('end'), true);
        });
        assert.equal(inGreenlet, false);
      },
    );
  });
});

describe('other servers', () => {
  const certificate = makeCertificate(temporaryFolder(), 'localhost');

  it('https', async () => {
    const meet = barrier(3);
    const server = await listening(
      https.createServer(certificate, (req, res) => {
        meet();
        res.end(req.url);
      }),
    );
    const get = async (path: string) => {
      const client = https.get({
        port: portOf(server),
        host: 'localhost',
        family: 4,
        path,
        ca: certificate.cert,
        agent: false,
      });
      const [answer] = (await once(client, 'response')) as [IncomingMessage];
      return text(answer);
    };
    assert.deepEqual(await Promise.all(['/a', '/b', '/c'].map(get)), ['/a', '/b', '/c']);
    const closed = once(server, 'close');
    server.close();
    await closed;
  });

  for (const secure of [false, true])
    it(`http2${secure ? ', secure' : ''}`, async () => {
      const meet = barrier(3);
      const handler = (req: http2.Http2ServerRequest, res: http2.Http2ServerResponse) => {
        let body = '';
        req.setEncoding('utf8').on('data', (part: string) => {
          body += part;
        });
        req.on('end', () => {
          meet();
          res.end(body);
        });
      };
      const server = await listening(
        secure
          ? http2.createSecureServer({ ...certificate, allowHTTP1: true }, handler)
          : http2.createServer(handler),
      );
      const client = http2.connect(`http${secure ? 's' : ''}://localhost:${portOf(server)}`, {
        ca: certificate.cert,
        family: 4,
      } as http2.SecureClientSessionOptions);
      const post = (body: string) => {
        const stream = client.request({ ':method': 'POST' });
        stream.end(body);
        return text(stream);
      };
      assert.deepEqual(await Promise.all(['a', 'b', 'c'].map(post)), ['a', 'b', 'c']);
      const closed = once(server, 'close');
      client.close();
      server.close();
      await closed;
    });
});

describe('the patch', () => {
  it('is known by the name of the inherited method, and goes without a trace', () => {
    assert.ok(isPatched('http', 'Server.prototype.emit'));
    assert.ok(isPatched('http2'));
    assert.equal(
      getOriginal('https', 'Server.prototype.emit'),
      Object.getPrototypeOf(net.Server.prototype).emit,
    );
    restore('https');
    assert.equal(Object.hasOwn(https.Server.prototype, 'emit'), false);
    assert.ok(isPatched('http'));
    patchHttp();
    assert.ok(Object.hasOwn(https.Server.prototype, 'emit'));
  });

  it('parks in a promise', async () => {
    await serving(
      (_req, res) => res.end(wait(Promise.resolve('value'))),
      async (port) => assert.equal((await request(port)).body, 'value'),
    );
  });
});
