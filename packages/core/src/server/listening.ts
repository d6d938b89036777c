/** Where a server listens, in the forms that users write it. */
import type { TlsOptions } from 'node:tls';
import { Listener, type ListenOptions, listen } from '../net/listener.js';

/** A listener, its options, a port, `host:port`, or the path of a Unix socket. */
export type Listening = Listener | ListenOptions | number | string;

/** Options of servers that say how to listen; each as in {@link ListenOptions}. */
export interface ListeningOptions {
  tls?: TlsOptions;
  /** Default 511. */
  backlog?: number;
  reusePort?: boolean;
  handshakeTimeout?: number;
}

function optionsOf(where: Exclude<Listening, Listener>): ListenOptions {
  if (typeof where === 'number') return { port: where };
  if (typeof where !== 'string') return where;
  const match = /^(?:\[(.+)\]|([^:]*)):(\d+)$/.exec(where);
  if (!match) return { path: where };
  const host = match[1] ?? match[2];
  return { port: Number(match[3]), ...(host && { host }) };
}

/** Listens, parking until it does, unless `where` is a listener. @throws as {@link listen} */
export function openListening(where: Listening, options: ListeningOptions): Listener {
  if (where instanceof Listener) return where;
  const { tls, backlog, reusePort, handshakeTimeout } = options;
  const given = { tls, backlog, reusePort, handshakeTimeout };
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return listen({ ...optionsOf(where), ...Object.fromEntries(set) });
}
