/** Clients that others have written: curl, wget, ab, wrk, Python's http.client, undici, node:http. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { wait } from '@tendril/core';
import { check } from '@tendril/core/subprocess';
import type { Application, WSGIServer } from '@tendril/wsgi';
import { programs } from './programs.js';
import { inRealTime, leaveNothing, serving } from './serving.js';

leaveNothing();

const found = programs('curl', 'wget', 'ab', 'wrk', 'python3');

const folder = mkdtempSync(path.join(tmpdir(), 'tendril-clients-'));
after(() => rmSync(folder, { recursive: true }));
const upload = path.join(folder, 'upload');
const content = randomBytes(3_000_000);
writeFileSync(upload, content);
const digest = createHash('sha256').update(content).digest('hex');

/** Tells about the request; a body is hashed as it comes, and sent back by `/echo`. */
const app: Application = (environ, start) => {
  const { PATH_INFO: target, REQUEST_METHOD: method } = environ;
  const input = environ['wsgi.input'];
  if (target === '/echo') {
    start('200 OK', [['Content-Type', 'application/octet-stream']]);
    return (function* () {
      for (let piece = input.readSome(); piece.length > 0; piece = input.readSome()) yield piece;
    })();
  }
  const hash = createHash('sha256');
  for (let piece = input.readSome(); piece.length > 0; piece = input.readSome()) hash.update(piece);
  if (target === '/redirect') {
    start('302 Found', [['Location', '/landed']]);
    return [];
  }
  start('200 OK', [
    ['Content-Type', 'text/plain'],
    ['X-Method', method],
  ]);
  return [`${method} ${target} ${environ.SERVER_PROTOCOL} ${hash.digest('hex')}\n`];
};

const ofNothing = createHash('sha256').digest('hex');

function client(name: string, body: (server: WSGIServer, url: string) => void): void {
  test(
    name,
    inRealTime(() => serving(app, {}, (server) => body(server, `http://127.0.0.1:${server.port}`))),
  );
}

/** What a program prints, while the server goes on. */
function output(command: keyof typeof found, ...args: string[]): string {
  return check(found[command], args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 24,
    timeout: 60_000,
  }) as string;
}

describe('curl', () => {
  const curl = (...args: string[]) => output('curl', '-sS', '--max-time', '20', ...args);

  client('gets, follows, asks for heads', (_server, url) => {
    assert.equal(curl(`${url}/a`), `GET /a HTTP/1.1 ${ofNothing}\n`);
    assert.equal(curl('--http1.0', `${url}/a`), `GET /a HTTP/1.0 ${ofNothing}\n`);
    assert.equal(curl('-L', `${url}/redirect`), `GET /landed HTTP/1.1 ${ofNothing}\n`);
    assert.match(
      curl('-I', `${url}/a`),
      /^HTTP\/1.1 200 OK\r\n[\s\S]*X-Method: HEAD\r\n[\s\S]*\r\n\r\n$/,
    );
  });

  client('uploads: with a length and 100-continue, in chunks, and back again', (server, url) => {
    const expected = `POST /up HTTP/1.1 ${digest}\n`;
    const file = `@${upload}`;
    assert.equal(curl('--data-binary', file, `${url}/up`), expected);
    const expecting = ['-H', 'Expect: 100-continue'];
    assert.equal(curl(...expecting, '--data-binary', file, `${url}/up`), expected);
    const chunked = ['-H', 'Transfer-Encoding: chunked'];
    assert.equal(curl(...chunked, '--data-binary', file, `${url}/up`), expected);
    const back = path.join(folder, 'back');
    curl(...chunked, '--data-binary', file, '-o', back, `${url}/echo`);
    assert.ok(readFileSync(back).equals(content));
    assert.equal(server.statistics().refused, 0);
  });

  client('uses one connection for many requests', (_server, url) => {
    const counts = curl('-w', '%{num_connects}\n', '-o', '/dev/null', `${url}/[1-20]`);
    assert.equal(
      counts
        .trim()
        .split('\n')
        .map(Number)
        .reduce((a, b) => a + b),
      1,
    );
  });
});

client('wget gets, and posts a file', (_server, url) => {
  const wget = (...args: string[]) => output('wget', '-q', '-O', '-', '--timeout=20', ...args);
  assert.equal(wget(`${url}/w`), `GET /w HTTP/1.1 ${ofNothing}\n`);
  assert.equal(wget(`${url}/redirect`), `GET /landed HTTP/1.1 ${ofNothing}\n`);
  assert.equal(wget(`--post-file=${upload}`, `${url}/w`), `POST /w HTTP/1.1 ${digest}\n`);
});

client('ab, in HTTP/1.0 with and without keep-alive', (_server, url) => {
  for (const extra of [[], ['-k']]) {
    const report = output('ab', '-q', ...extra, '-c', '20', '-n', '1000', `${url}/ab`);
    assert.match(report, /Complete requests: +1000\n/);
    assert.match(report, /Failed requests: +0\n/);
    assert.ok(!report.includes('Non-2xx'));
    assert.equal(
      /Keep-Alive requests: +(\d+)/.exec(report)?.[1],
      extra.length ? '1000' : undefined,
    );
  }
});

client('wrk', (_server, url) => {
  const report = output('wrk', '-t1', '-c50', '-d1', `${url}/wrk`);
  assert.match(report, /\d+ requests in/);
  assert.ok(!/Socket errors|Non-2xx/.test(report), report);
});

client("Python's http.client", (server) => {
  const script = `
import http.client, hashlib, sys
connection = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=20)
content = open(sys.argv[2], 'rb').read()
def ask(method, target, **more):
    connection.request(method, target, **more)
    response = connection.getresponse()
    return response, response.read()
for i in range(3):
    response, body = ask('GET', '/py')
    assert response.status == 200 and response.version == 11 and body.startswith(b'GET /py HTTP/1.1 '), body
response, body = ask('HEAD', '/py')
assert body == b'' and response.getheader('x-method') == 'HEAD'
response, body = ask('POST', '/echo', body=content)
assert body == content
response, body = ask('POST', '/echo', body=(content[i:i + 10000] for i in range(0, len(content), 10000)), encode_chunked=True, headers={'Transfer-Encoding': 'chunked'})
assert body == content and response.getheader('transfer-encoding') == 'chunked'
print('fine')
`;
  assert.equal(output('python3', '-c', script, String(server.port), upload), 'fine\n');
});

client('fetch (undici), streaming both ways', (_server, url) => {
  const body = new ReadableStream({
    start(controller) {
      for (let i = 0; i < content.length; i += 100_000)
        controller.enqueue(content.subarray(i, i + 100_000));
      controller.close();
    },
  });
  const response = wait(
    fetch(`${url}/echo`, { method: 'POST', body, duplex: 'half' } as RequestInit),
  );
  assert.ok(Buffer.from(wait(response.arrayBuffer())).equals(content));
});

client('node:http with an agent', (server) => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const get = () =>
    wait(
      new Promise<string>((resolve, reject) => {
        http
          .get({ port: server.port, host: '127.0.0.1', path: '/n', agent }, (response) => {
            let text = '';
            response.setEncoding('utf8').on('data', (piece) => {
              text += piece;
            });
            response.on('end', () => resolve(text));
          })
          .on('error', reject);
      }),
    );
  for (let i = 0; i < 5; i++) assert.equal(get(), `GET /n HTTP/1.1 ${ofNothing}\n`);
  assert.equal(server.statistics().connections, 1);
  agent.destroy();
});
