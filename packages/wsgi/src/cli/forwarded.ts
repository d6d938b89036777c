/** What proxies say about their clients. */
import { BlockList, isIP } from 'node:net';
import type { Application, Environ } from '../gateway/types.js';

/** True for proxies that are believed. */
type Trust = (address: string) => boolean;

const family = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** `::ffff:10.0.0.1` is how a socket for both families shows 10.0.0.1. */
function plain(address: string): string {
  const match = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  return match?.[1] ?? address;
}

function trustOf(allowed: readonly string[]): Trust {
  if (allowed.includes('*')) return () => true;
  const list = new BlockList();
  for (const entry of allowed) {
    const [address = '', bits] = entry.split('/');
    if (bits === undefined) list.addAddress(plain(address), family(plain(address)));
    else list.addSubnet(address, Number(bits), family(address));
  }
  // A peer without an address is on a Unix socket, which file permissions guard.
  return (address) =>
    address === '' || (isIP(address) !== 0 && list.check(address, family(address)));
}

interface Hop {
  address: string;
  port: string;
}

/** An element of X-Forwarded-For: an address, some proxies add a port. */
function hopOf(text: string): Hop | undefined {
  const trimmed = text.trim();
  const match = /^(?:\[([^\]]+)\]|(\d+\.\d+\.\d+\.\d+))(?::(\d{1,5}))?$/.exec(trimmed);
  const address = plain(match ? ((match[1] ?? match[2]) as string) : trimmed);
  return isIP(address) === 0 ? undefined : { address, port: match?.[3] ?? '' };
}

/**
 * The client: the last address that is no proxy of ours. Each proxy appends the address that it saw,
 * so what lies left of the first stranger is only what that stranger said.
 */
function clientOf(list: string, trust: Trust): Hop | undefined {
  let client: Hop | undefined;
  for (const element of list.split(',').reverse()) {
    const hop = hopOf(element);
    if (!hop) break;
    client = hop;
    if (!trust(hop.address)) break;
  }
  return client;
}

function amend(environ: Environ, trust: Trust): void {
  const peer = plain(environ.REMOTE_ADDR);
  if (!trust(peer)) return;
  const { HTTP_X_FORWARDED_FOR: addresses, HTTP_X_FORWARDED_PROTO: scheme } = environ as {
    HTTP_X_FORWARDED_FOR?: string;
    HTTP_X_FORWARDED_PROTO?: string;
  };
  const client = addresses === undefined ? undefined : clientOf(addresses, trust);
  if (client) {
    environ.REMOTE_ADDR = client.address;
    environ.REMOTE_PORT = client.port;
  }
  // Of several, the last is from the proxy that we know.
  const last = scheme?.split(',').at(-1)?.trim().toLowerCase();
  if (last === 'http' || last === 'https') environ['wsgi.url_scheme'] = last;
}

/**
 * An application that gets the client's address and scheme from the proxies in `allowed`: addresses,
 * networks (`10.0.0.0/8`) or `*`. For requests from elsewhere nothing changes.
 */
export function forwarded(app: Application, allowed: readonly string[]): Application {
  const trust = trustOf(allowed);
  return (environ, startResponse) => {
    amend(environ, trust);
    return app(environ, startResponse);
  };
}
