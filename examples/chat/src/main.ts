#!/usr/bin/env node
/** A web chat in straight-line code: a queue for each member, and no await. */
import { getCurrent, run } from '@tendril/core';
import { ChatServer } from './chat-server.js';
import { help, type Options, readOptions, UsageError } from './options.js';
import { troubleOutside } from './outside.js';

function main({ host, port, transports }: Options): void {
  const server = new ChatServer({ host, port }, { transports });
  server.start();
  const shown = host.includes(':') ? `[${host}]` : host;
  process.stdout.write(`http://${shown}:${server.port}/\n`);
  const self = getCurrent();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => self?.kill({ block: false }));
  server.serveForever({ timeout: 100 });
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(`${help}\n`);
  else await run(() => main(options));
} catch (error) {
  const isUsage = error instanceof UsageError;
  const text = isUsage ? `${error.message}\n\n${help}` : troubleOutside(error);
  if (text === undefined) throw error;
  process.stderr.write(`${text}\n`);
  process.exitCode = isUsage ? 2 : 1;
}
