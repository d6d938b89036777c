#!/usr/bin/env node
/** Ours: `tendril <port>`. */
import { run, sleep } from '@tendril/core';
import { type Application, WSGIServer } from '@tendril/wsgi';
import { hello, keepAliveTimeout, large, listening, payload, ready } from './content.js';

const plain = 'text/plain';

const app: Application = (environ, startResponse) => {
  const path = environ.PATH_INFO;
  const answer = (type: string, body: Buffer | string) => {
    const length = String(Buffer.byteLength(body));
    startResponse('200 OK', [
      ['Content-Type', type],
      ['Content-Length', length],
    ]);
    return [body];
  };
  if (path === '/hello') return answer(plain, hello);
  if (path === '/json') return answer('application/json', JSON.stringify(payload));
  if (path === '/large') return answer(plain, large);
  if (path === '/length') return answer(plain, String(environ['wsgi.input'].read().length));
  if (path.startsWith('/sleep/')) {
    sleep(Number(path.slice(7)));
    return answer(plain, hello);
  }
  startResponse('404 Not Found', [['Content-Length', '0']]);
  return [];
};

run(() => {
  const server = new WSGIServer(listening, app, { keepAliveTimeout });
  server.start();
  ready();
  server.serveForever();
});
