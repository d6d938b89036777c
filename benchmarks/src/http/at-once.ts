#!/usr/bin/env node
/**
 * Every client there at the same moment, where ab opens connections one after the other:
 * `at-once <port> <path> <connections> <requests>` prints the seconds until the last answer.
 * Connections that the server keeps open are used again, others opened anew.
 */
import { connect, type Socket } from 'node:net';

const [port = 0, path = '/', connections = 0, requests = 0] = process.argv
  .slice(2)
  .map((text, i) => (i === 1 ? text : Number(text))) as [number, string, number, number];
const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const patience = 60_000;
const began = performance.now();
let asked = 0;
let answers = 0;

function fail(why: string): never {
  console.error(`${answers} of ${requests} answers: ${why}`);
  process.exit(1);
}

function ask(socket: Socket): void {
  asked++;
  socket.write(request);
}

/** The bytes of a whole response; 0 while some of it is missing. */
function wholeResponse(text: string): number {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return 0;
  if (!/^HTTP\/1\.[01] 200 /.test(text)) fail(text.slice(0, head));
  const body = Number(/\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head + 2))?.[1]);
  if (Number.isNaN(body)) fail('no Content-Length');
  return text.length >= head + 4 + body ? head + 4 + body : 0;
}

function open(): void {
  let received = '';
  let served = 0;
  let waits = false;
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const next = () => {
    if (asked >= requests) {
      socket.end();
      return;
    }
    waits = true;
    ask(socket);
  };
  socket.setEncoding('latin1');
  socket.on('connect', next);
  socket.on('data', (text) => {
    received += text;
    const size = wholeResponse(received);
    if (size === 0) return;
    const last = /\r\nconnection: *close\r\n/i.test(received.slice(0, size));
    received = received.slice(size);
    waits = false;
    served++;
    answers++;
    if (answers === requests) {
      console.log((performance.now() - began) / 1000);
      process.exit(0);
    }
    if (!last) next();
  });
  let over = false;
  const lost = (why: string) => {
    if (over) return;
    over = true;
    // A server that closes after an answer, and does not say so, has not read what was sent since.
    const unread = served > 0 && received === '';
    if (waits && !unread) fail(why);
    if (waits) asked--;
    socket.destroy();
    if (asked < requests) open();
  };
  socket.on('end', () => lost('a connection was closed'));
  socket.on('error', (error) => (served === 0 ? fail(error.message) : lost(error.message)));
}

setTimeout(() => fail('no more in time'), patience);
for (let i = 0; i < connections; i++) open();
