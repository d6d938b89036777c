#!/usr/bin/env node
/**
 * A shop, a process of its own. Its settings come as JSON in the first argument; it prints its port, and ends
 * with its standard input.
 */
import { run } from '@tendril/core';
import { Pool } from '@tendril/pg';
import { WSGIServer } from '@tendril/wsgi';
import { openCache } from './cache.js';
import { createSchema } from './schema.js';
import { shopApp } from './shop.js';

export interface ShopSettings {
  database: string;
  /** Connections to it. */
  connections: number;
  redis?: string;
  services: string;
  patience: number;
  /** Requests that are served at a time; no limit if undefined. */
  inFlight?: number;
}

const settings = JSON.parse(process.argv[2] ?? '{}') as ShopSettings;

await run(() => {
  const { database, connections, redis, services, patience, inFlight } = settings;
  const pool = new Pool({ connectionString: database, max: connections });
  createSchema(pool);
  const cache = openCache(redis);
  const server = new WSGIServer(
    { port: 0, host: '127.0.0.1' },
    shopApp({ pool, cache, services, patience }),
    { backlog: 2048, maxWaiting: 10_000, ...(inFlight !== undefined && { spawn: inFlight }) },
  );
  server.start();
  console.log(server.port);
  process.stdin.resume().on('end', () => server.close());
  server.serveForever();
  cache.close();
  pool.end();
});
