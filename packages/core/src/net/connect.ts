/** connect(): TCP, Unix sockets and TLS as a client. */
import { createConnection, isIP, type LookupFunction, type Socket as NetSocket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { lookup } from '../dns/index.js';
import { InvalidArgumentError } from '../errors.js';
import { timedOut } from '../greenlet/timeout.js';
import { checkTimeout, expired, waitAtMost } from '../hub/timed-wait.js';
import { Waiter } from '../hub/waiter.js';
import { Socket } from './socket.js';

export interface ConnectOptions {
  /** Name or address; default localhost. */
  host?: string;
  port?: number;
  /** A Unix socket, in place of host and port. */
  path?: string;
  /** TLS: true, or the options of `tls.connect`. Certificates are verified unless told otherwise. */
  tls?: boolean | ConnectionOptions;
  /** Milliseconds for the name, the connection and the TLS handshake together; default 30,000. */
  timeout?: number | undefined;
  /** IPv4 or IPv6 only; default both, the better one first (RFC 6724, RFC 8305). */
  family?: 0 | 4 | 6;
  /** Local end. */
  localAddress?: string;
  localPort?: number;
  /** Small pieces are sent at once (TCP_NODELAY); default true, as everywhere in this package. */
  noDelay?: boolean;
  keepAlive?: boolean;
  /** Resolves names; default the resolver of this package. */
  lookup?: LookupFunction;
}

const defaultTimeout = 30_000;

/** Milliseconds after which the next address is tried beside the one before (RFC 8305, section 8). */
const nextAddressAfter = 250;

function checkOptions(options: ConnectOptions): void {
  const { path, port } = options;
  checkTimeout(options.timeout);
  if (path !== undefined) {
    if (typeof path !== 'string' || path === '')
      throw new InvalidArgumentError('path', 'the path of a Unix socket', path);
  } else if (!(Number.isInteger(port) && Number(port) >= 0 && Number(port) <= 65_535)) {
    throw new InvalidArgumentError('port', 'a whole number from 0 to 65535', port);
  }
}

function openStream(options: ConnectOptions): NetSocket {
  const { tls, timeout: _timeout, path, host = 'localhost', port, ...rest } = options;
  const common = { noDelay: true, lookup: lookup as LookupFunction, ...rest, allowHalfOpen: true };
  const where =
    path === undefined
      ? {
          host,
          port: port as number,
          autoSelectFamily: !options.family,
          autoSelectFamilyAttemptTimeout: nextAddressAfter,
        }
      : { path };
  if (!tls) return createConnection({ ...common, ...where } as never);
  const servername = path === undefined && !isIP(host) ? { servername: host } : {};
  return connectTls({
    ...common,
    ...where,
    ...servername,
    ...(tls === true ? undefined : tls),
  } as ConnectionOptions);
}

/** Parks until `stream` says `event`; a kill or a timeout destroys it. */
export function awaitOpen(
  stream: NetSocket | TLSSocket,
  event: 'connect' | 'secureConnect',
  what: string,
  timeout: number | undefined,
): void {
  let waiter: Waiter<true | typeof expired>;
  try {
    waiter = new Waiter(what);
  } catch (error) {
    stream.destroy();
    throw error;
  }
  const opened = () => waiter.wake(true);
  const failed = (error: Error) => waiter.fail(error);
  const closed = () =>
    waiter.fail(Object.assign(new Error(`${what}: the peer closed`), { code: 'ECONNRESET' }));
  stream.once(event, opened).once('error', failed).once('close', closed);
  try {
    if (waitAtMost<true>(waiter, timeout) === expired) throw timedOut(timeout);
  } catch (error) {
    stream.on('error', () => {}); // what still comes is a consequence of the destroy
    stream.destroy();
    throw error;
  } finally {
    stream.off(event, opened).off('error', failed).off('close', closed);
  }
}

/**
 * Connects, parking until the connection stands, with TLS until its handshake is done.
 *
 * @throws Timeout, InvalidArgumentError, Node's errors with their codes (ECONNREFUSED, ENOTFOUND,
 *   ERR_TLS_CERT_ALTNAME_INVALID and so on)
 */
export function connect(options: ConnectOptions): Socket {
  checkOptions(options);
  const timeout = 'timeout' in options ? options.timeout : defaultTimeout;
  const stream = openStream(options);
  awaitOpen(stream, options.tls ? 'secureConnect' : 'connect', 'connect()', timeout);
  return new Socket(stream);
}

/**
 * Starts TLS on a connection that stands (STARTTLS), as the client. Use the result from here on.
 * Nothing may lie unread on `socket`.
 */
export function startTls(
  socket: Socket,
  options: ConnectionOptions,
  { timeout = defaultTimeout }: { timeout?: number } = {},
): Socket {
  const stream = connectTls({ ...options, socket: socket.detach() });
  awaitOpen(stream, 'secureConnect', 'startTls()', timeout);
  return new Socket(stream);
}
