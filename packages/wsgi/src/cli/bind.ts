/** Addresses of `--bind`. */
import type { Address } from '@tendril/core/socket';
import { UsageError } from './errors.js';

/** Where to listen, in the words of `net.Server.listen`. No host: all addresses. */
export interface Bind {
  host?: string;
  port?: number;
  path?: string;
}

const forms = 'HOST:PORT, [IPv6]:PORT, :PORT, PORT or unix:PATH';

/** @throws UsageError */
export function parseBind(text: string): Bind {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
    if (path === '') throw new UsageError('--bind unix: needs the path of a socket.');
    return { path };
  }
  const match = /^(?:(?:\[([^\]]+)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535)
    throw new UsageError(`--bind must be ${forms}; got ${JSON.stringify(text)}.`);
  const host = match[1] ?? match[2];
  return { port, ...(host && { host }) };
}

/** What a client would write: `http://127.0.0.1:8000`, `unix:/run/app.sock`. */
export function showAddress(address: Address, tls: boolean): string {
  if (typeof address === 'string') return `unix:${address}`;
  const host = address.address.includes(':') ? `[${address.address}]` : address.address;
  return `${tls ? 'https' : 'http'}://${host}:${address.port}`;
}
