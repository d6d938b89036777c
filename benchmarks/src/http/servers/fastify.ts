#!/usr/bin/env node
/** Fastify: `fastify <port>`. */
import { fastify } from 'fastify';
import { hello, keepAliveTimeout, large, listening, payload, ready } from './content.js';

const server = fastify({ keepAliveTimeout });
const octets = 'application/octet-stream';
server.addContentTypeParser(octets, { parseAs: 'buffer' }, (_request, body, done) =>
  done(null, body),
);
server.get('/hello', (_request, reply) => reply.type('text/plain').send(hello));
server.get('/json', (_request, reply) => reply.send(payload));
server.get('/large', (_request, reply) => reply.type('text/plain').send(large));
server.post('/length', (request, reply) =>
  reply.type('text/plain').send(String((request.body as Buffer).length)),
);
await server.listen(listening);
ready();
