/** Other events of HTTP servers, other servers, and the patch itself. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { after, describe, it } from 'node:test';
import { getCurrent, sleep } from '@tendril/core';
import { getOriginal, isPatched, patchHttp, restore } from '@tendril/core/monkey';
import { leaveNothing } from '../helpers.js';
import { makeCertificate, temporaryFolder } from '../io-helpers.js';
import { barrier, listening, portOf, request, serving } from './serving.js';

leaveNothing();

patchHttp();
after(() => restore());

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
});
