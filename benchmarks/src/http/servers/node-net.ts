#!/usr/bin/env node
/** The limit: a fixed answer for each blank line on a node:net socket, with no HTTP at all. */
import { createServer } from 'node:net';
import { hello, listening, ready } from './content.js';

const answer = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${hello.length}\r\n\r\n${hello}`;
const end = '\r\n\r\n';

const server = createServer({ noDelay: true }, (socket) => {
  let rest = '';
  socket.on('data', (chunk) => {
    const text = rest + chunk.toString('latin1');
    let answers = '';
    let from = 0;
    for (let at = text.indexOf(end); at >= 0; at = text.indexOf(end, from)) {
      answers += answer;
      from = at + end.length;
    }
    rest = text.slice(from);
    if (answers) socket.write(answers, 'latin1');
  });
  socket.on('error', () => socket.destroy());
});
server.listen(listening, ready);
