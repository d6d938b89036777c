#!/usr/bin/env node
/**
 * The embedded database, a process of its own: PGlite, PostgreSQL in WebAssembly, behind a socket.
 * Prints its port; ends with its standard input.
 */
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

/** It takes queries one after the other, of as many connections as there are. */
const maxConnections = 10;

const db = await PGlite.create();
const server = new PGLiteSocketServer({ db, host: '127.0.0.1', port: 0, maxConnections });
server.addEventListener('listening', (event) => {
  const { port } = (event as CustomEvent<{ port: number }>).detail;
  console.log(port);
});
await server.start();
process.stdin.resume().on('end', () => process.exit(0));
