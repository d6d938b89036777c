#!/usr/bin/env node
/** Express: `express <port>`. */
import { createServer } from 'node:http';
import express from 'express';
import { hello, keepAliveTimeout, large, listening, payload, ready } from './content.js';

const app = express();
app.get('/hello', (_request, response) => response.type('text/plain').send(hello));
app.get('/json', (_request, response) => response.json(payload));
app.get('/large', (_request, response) => response.type('text/plain').send(large));
const body = express.raw({ type: 'application/octet-stream' });
app.post('/length', body, (request, response) =>
  response.type('text/plain').send(String((request.body as Buffer).length)),
);
createServer({ keepAliveTimeout }, app).listen(listening, ready);
