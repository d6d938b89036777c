/** What clients get and logs say, through the command. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { Command, eventually, plain } from './cli-harness.js';

test('refused requests are in the access log; kept connections are told for how long', async () => {
  const command = await Command.start('--access-logfile', '-', '--keep-alive', '7', plain);
  const ask = (request: string) => {
    const socket = connect(command.port, '127.0.0.1');
    socket.end(request);
    return text(socket);
  };
  const cases: [string, number][] = [
    ['GET / HTTP/1.1\r\n\r\n', 400],
    [`GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
    [`GET / HTTP/1.1\r\nHost: a\r\n${'A: b\r\n'.repeat(101)}\r\n`, 431],
  ];
  for (const [request, status] of cases) {
    assert.match(await ask(request), new RegExp(`^HTTP/1.1 ${status} `));
    await eventually(`${status} in the log`, () => command.out.includes(`" ${status} `));
  }
  assert.match(await ask('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), /Keep-Alive: timeout=7\r\n/);
  assert.equal(await command.stop(), 0);
});
