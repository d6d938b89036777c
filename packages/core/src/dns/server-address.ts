/** Addresses of name servers as users write them. */
import { isIP } from 'node:net';
import { InvalidArgumentError } from '../errors.js';

export interface ServerAddress {
  /** Without its scope. */
  readonly address: string;
  readonly family: 4 | 6;
  /** Of a link-local IPv6 address: the interface (RFC 4007, section 11). */
  readonly scope: string | undefined;
  readonly port: number;
}

/**
 * `127.0.0.1`, `127.0.0.1:5353`, `::1`, `[::1]:5353`, `fe80::1%eth0`, `[fe80::1%eth0]:5353`.
 * @throws InvalidArgumentError
 */
export function parseServer(text: string): ServerAddress {
  const [, inBrackets, alone, port = '53'] =
    (isIP(text)
      ? [undefined, undefined, text]
      : /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text)) ?? [];
  const host = inBrackets ?? alone ?? '';
  const family = isIP(host);
  const number = Number(port);
  if (
    (family !== 4 && family !== 6) ||
    (inBrackets !== undefined && family !== 6) ||
    number > 65_535
  )
    throw new InvalidArgumentError(
      'servers',
      "addresses of name servers, such as '192.0.2.1', '192.0.2.1:5353' or '[fe80::1%eth0]:5353'",
      text,
    );
  const [address = '', scope] = host.split('%', 2);
  return { address, family, scope, port: number };
}

/** In the form that node:dns takes, which has no place for a scope. */
export function formatServer({ address, family, port }: ServerAddress): string {
  return family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Where a socket of node:dgram or node:net sends to. */
export function hostOf({ address, scope }: ServerAddress): string {
  return scope === undefined ? address : `${address}%${scope}`;
}
