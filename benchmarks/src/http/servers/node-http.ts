#!/usr/bin/env node
/** node:http: `node-http <port>`. */
import { createServer, type ServerResponse } from 'node:http';
import { hello, keepAliveTimeout, large, listening, payload, ready } from './content.js';

const plain = 'text/plain';

function answer(response: ServerResponse, type: string, body: Buffer | string): void {
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

const server = createServer({ keepAliveTimeout }, (request, response) => {
  if (request.url === '/hello') answer(response, plain, hello);
  else if (request.url === '/json') answer(response, 'application/json', JSON.stringify(payload));
  else if (request.url === '/large') answer(response, plain, large);
  else if (request.url === '/length') {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(response, plain, String(Buffer.concat(chunks).length)));
  } else {
    response.writeHead(404);
    response.end();
  }
});
server.listen(listening, ready);
