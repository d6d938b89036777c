/** The command line. */
import { parseArgs } from 'node:util';
import { type Transport, transports } from './chat-server.js';

export const help = `usage: npm start -- [options]

A web chat with rooms, over WebSocket, server-sent events or long polling.

  --port N            where it listens (8000; 0 for any that is free)
  --host ADDRESS      (127.0.0.1)
  --transports LIST   those that are offered (ws,sse,poll)
  --help`;

export class UsageError extends Error {}

export interface Options {
  port: number;
  host: string;
  transports: Transport[];
  help: boolean;
}

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  const help = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({ args, options: { port: text, host: text, transports: text, help } }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** @throws UsageError */
export function readOptions(args: string[]): Options {
  const values = parse(args);
  const port = Number(values.port ?? 8000);
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535))
    throw new UsageError(`--port takes a number from 0 to 65535, not ${values.port}`);
  const listed = values.transports?.split(',') ?? transports;
  const offered = transports.filter((each) => listed.includes(each));
  if (offered.length === 0 || offered.length < listed.length)
    throw new UsageError(`--transports takes some of ${transports}, not ${values.transports}`);
  return { port, host: values.host ?? '127.0.0.1', transports: offered, help: values.help };
}
