/** What every server answers, and how it listens. */
import { readFileSync } from 'node:fs';

export const hello = 'Hello World\n';
export const large = Buffer.alloc(65_536, 'x');

/** 1,024 bytes of JSON. Servers make text of it for each request. */
export const payload: unknown = JSON.parse(
  readFileSync(new URL('../../../peers/payload.json', import.meta.url), 'utf8'),
);

export const listening = { port: Number(process.argv[2]), host: '127.0.0.1', backlog: 1024 };

/** Longer than any measurement, so that connections at rest are not closed under it. */
export const keepAliveTimeout = 120_000;

export const ready = () => console.log('ready');
