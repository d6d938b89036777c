#!/usr/bin/env node
/** A task queue on Redis: put tasks in line, work them off in any number of processes. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { run, spawn } from '@tendril/core';
import { createClient } from '@tendril/redis';
import { help, type Options, readOptions, UsageError } from './options.js';
import { troubleOutside } from './outside.js';
import { type Handler, TaskQueue } from './task-queue.js';

async function load(module: string): Promise<Handler> {
  const { default: handler } = (await import(pathToFileURL(path.resolve(module)).href)) as {
    default?: Handler;
  };
  if (typeof handler === 'function') return handler;
  throw new UsageError(`${module} must have a function as its default export`);
}

function main(options: Options, handler: Handler | undefined): void {
  const { command, args, redis, queue: name, concurrency, giveUp, attempts } = options;
  const client = createClient({ url: redis });
  client.connect();
  const queue = new TaskQueue(client, { name, giveUp, attempts });
  try {
    queue.prepare();
    if (command === 'put') {
      const [kind = '', payload = ''] = args;
      console.log(queue.put(kind, JSON.parse(payload)));
    } else if (command === 'status') {
      const { open, taken, dead } = queue.status();
      console.log(`${open} open, ${taken} of them taken, ${dead} dead`);
    } else {
      work(queue, concurrency, handler as Handler);
    }
  } finally {
    client.close();
  }
}

/** Until SIGTERM or Ctrl-C; what is under way then stays in line. */
function work(queue: TaskQueue, concurrency: number, handler: Handler): void {
  const report = (error: unknown) => console.error('A task failed:', error);
  const working = spawn(() => queue.work(`worker-${process.pid}`, concurrency, handler, report));
  const stop = () => working.kill({ block: false });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  working.get();
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(help);
  } else {
    const [module = ''] = options.args;
    const handler = options.command === 'work' ? await load(module) : undefined;
    await run(() => main(options, handler));
  }
} catch (error) {
  const isUsage = error instanceof UsageError;
  const text = isUsage ? `${error.message}\n\n${help}` : troubleOutside(error);
  if (text === undefined) throw error;
  console.error(text);
  process.exitCode = isUsage ? 2 : 1;
}
