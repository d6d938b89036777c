/** Addresses of `--bind`. */
import type { Address } from '@tendril/core/socket';
import { UsageError } from './errors.js';

/** Where to listen, in the words of `net.Server.listen`. No host: all addresses. */
export interface Bind {
  host?: string;
  port?: number;
  path?: string;
  fd?: number;
}

const forms = 'HOST:PORT, [IPv6]:PORT, :PORT, PORT, unix:PATH or fd://N';

/** Bytes of a path that `sun_path` of unix(7) has room for, without the zero at its end. */
const longestPath = process.platform === 'linux' ? 107 : 103;

/** @throws UsageError */
export function parseBind(text: string): Bind {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
    if (path === '') throw new UsageError('--bind unix: needs the path of a socket.');
    const length = Buffer.byteLength(path);
    if (length > longestPath)
      throw new UsageError(
        `The path of a Unix socket has ${longestPath} bytes at most, which is all that sockets ` +
          `have room for; ${path} has ${length}. Take a shorter one, or one relative to --chdir.`,
      );
    return { path };
  }
  const fd = /^fd:\/\/(\d{1,7})$/.exec(text)?.[1];
  if (fd !== undefined) return { fd: Number(fd) };
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
