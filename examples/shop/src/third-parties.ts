#!/usr/bin/env node
/**
 * Three services of other companies, simulated in a process of their own: each answers some JSON after
 * its usual time. `GET /degrade?ms=N` makes shipping take N milliseconds, 0 as usual again.
 */
import { run, sleep } from '@tendril/core';
import { WSGIServer } from '@tendril/wsgi';

/** Milliseconds. */
const usual: Record<string, number> = { '/reviews': 40, '/payment': 60, '/shipping': 50 };
let degraded = 0;

run(() => {
  const server = new WSGIServer('127.0.0.1:0', (environ, startResponse) => {
    const { PATH_INFO: path, QUERY_STRING: query } = environ;
    if (path === '/degrade') degraded = Number(new URLSearchParams(query).get('ms'));
    sleep((path === '/shipping' && degraded) || (usual[path] ?? 0));
    startResponse(path in usual || path === '/degrade' ? '200 OK' : '404 Not Found', [
      ['Content-Type', 'application/json'],
    ]);
    return [JSON.stringify({ service: path.slice(1), ok: true })];
  });
  server.start();
  console.log(server.port);
  process.stdin.resume().on('end', () => server.close());
  server.serveForever();
});
