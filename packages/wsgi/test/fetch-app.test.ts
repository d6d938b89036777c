/** fetchApp: handlers of the Fetch API as applications. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { getHub, sleep } from '@tendril/core';
import { fetchApp } from '@tendril/wsgi';
import { ask, errorsOf, get, inRealTime, leaveNothing, open, serving, until } from './serving.js';

leaveNothing();

describe('fetchApp', () => {
  const server = (handler: Parameters<typeof fetchApp>[0], body: Parameters<typeof serving>[2]) =>
    serving(fetchApp(handler), {}, body);

  test(
    'hands over method, URL, headers and body, and sends a streamed response',
    inRealTime(() =>
      server(
        async (request) => {
          const { searchParams, pathname, host } = new URL(request.url);
          const text = request.body ? await request.text() : 'none';
          const stream = new ReadableStream({
            async start(controller) {
              for (const part of [
                request.method,
                pathname,
                host,
                searchParams.get('q'),
                request.headers.get('x-a'),
                text,
              ]) {
                await new Promise((resolve) => setTimeout(resolve, 1));
                controller.enqueue(new TextEncoder().encode(`${part};`));
              }
              controller.close();
            },
          });
          return new Response(stream, {
            status: 201,
            statusText: 'Made',
            headers: [
              ['Set-Cookie', 'a'],
              ['Set-Cookie', 'b'],
            ],
          });
        },
        (server) => {
          const answer = ask(
            server,
            'POST /p?q=1 HTTP/1.1\r\nHost: here\r\nX-A: x\r\nContent-Length: 4\r\n\r\nbody',
          );
          assert.equal(answer.body, 'POST;/p;here;1;x;body;');
          assert.equal(`${answer.status} ${answer.reason}`, '201 Made');
          assert.equal(ask(server, get('/')).body, 'GET;/;test;null;null;none;');
        },
      ),
    ),
  );

  test(
    'a handler may park in place of a promise',
    inRealTime(() =>
      server(
        () => {
          sleep(2);
          return Response.json({ ok: true });
        },
        (server) => {
          const answer = ask(server, get());
          assert.deepEqual(JSON.parse(answer.body), { ok: true });
          assert.equal(answer.headers.get('content-type'), 'application/json');
        },
      ),
    ),
  );

  test(
    'a rejection is 500',
    inRealTime(() =>
      server(
        () => Promise.reject(new Error('no')),
        (server) => {
          const errors = errorsOf(getHub(), () => assert.equal(ask(server, get()).status, 500));
          assert.equal((errors[0] as Error).message, 'no');
        },
      ),
    ),
  );

  test(
    'a stream is cancelled when the client goes',
    inRealTime(() => {
      let cancelled = false;
      server(
        () =>
          new Response(
            new ReadableStream({
              async pull(controller) {
                await new Promise((resolve) => setTimeout(resolve, 1));
                controller.enqueue(new Uint8Array(1000));
              },
              cancel() {
                cancelled = true;
              },
            }),
          ),
        (server) => {
          const socket = open(server);
          socket.sendAll(get());
          socket.recv();
          socket.destroy();
          until(() => cancelled);
        },
      );
    }),
  );
});
