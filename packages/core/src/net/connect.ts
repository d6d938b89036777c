/** connect(): TCP, Unix sockets and TLS as a client. */
import type { LookupAddress } from 'node:dns';
import { createConnection, isIP, type LookupFunction, type Socket as NetSocket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { lookup as ownLookup } from '../dns/index.js';
import { resolverError } from '../dns/resolver-error.js';
import { InvalidArgumentError } from '../errors.js';
import { timedOut } from '../greenlet/timeout.js';
import { checkTimeout, expired, waitAtMost } from '../hub/timed-wait.js';
import { Waiter } from '../hub/waiter.js';
import { Attempts, ConnectError, type HostAddress, interleave } from './attempts.js';
import { Socket } from './socket.js';

export interface ConnectOptions {
  /** Name or address; default localhost. */
  host?: string;
  port?: number;
  /** A Unix socket, in place of host and port. */
  path?: string;
  /** TLS: true, or the options of `tls.connect`. Certificates are verified unless told otherwise. */
  tls?: boolean | ConnectionOptions;
  /** Milliseconds for the name, all attempts and the TLS handshake together; default 30,000. */
  timeout?: number | undefined;
  /**
   * Milliseconds after which the next address of the name is tried beside those before it; default 250.
   * One that has failed is followed at once. The first to answer is taken (RFC 8305).
   */
  attemptDelay?: number;
  /** IPv4 or IPv6 only; default both, the better one first (RFC 6724), the families in turn. */
  family?: 0 | 4 | 6;
  /** For `lookup`: AI_ flags of `/resolver`. */
  hints?: number;
  /** Local end. */
  localAddress?: string;
  /** With it one address is tried after the other: it cannot be used twice at a time. */
  localPort?: number;
  /** Small pieces are sent at once (TCP_NODELAY); default true, as everywhere in this package. */
  noDelay?: boolean;
  keepAlive?: boolean;
  /** Resolves names, with the signature of `dns.lookup`; default the resolver of this package. */
  lookup?: LookupFunction;
}

const defaultTimeout = 30_000;
/** RFC 8305, section 8. */
const defaultAttemptDelay = 250;

function checkOptions(options: ConnectOptions): void {
  const { path, port, family, localAddress } = options;
  checkTimeout(options.timeout);
  checkTimeout(options.attemptDelay, 'attemptDelay');
  if (family !== undefined && family !== 0 && family !== 4 && family !== 6)
    throw new InvalidArgumentError('family', '0, 4 or 6', family);
  if (localAddress !== undefined && !isIP(localAddress))
    throw new InvalidArgumentError('localAddress', 'an IP address', localAddress);
  if (path !== undefined) {
    if (typeof path !== 'string' || path === '')
      throw new InvalidArgumentError('path', 'the path of a Unix socket', path);
  } else if (!(Number.isInteger(port) && Number(port) >= 0 && Number(port) <= 65_535)) {
    throw new InvalidArgumentError('port', 'a whole number from 0 to 65535', port);
  }
}

/** One `connect()` that is under way, from the name to the last handshake. */
class Connecting {
  readonly #options: ConnectOptions;
  readonly #done: (socket: Socket) => void;
  readonly #failed: (error: Error) => void;
  #attempts: Attempts | undefined;
  #secure: TLSSocket | undefined;
  #over = false;

  constructor(
    options: ConnectOptions,
    done: (socket: Socket) => void,
    failed: (error: Error) => void,
  ) {
    this.#options = options;
    this.#done = done;
    this.#failed = failed;
  }

  start(): void {
    const { path, host = 'localhost' } = this.#options;
    const family = isIP(host);
    if (path !== undefined) this.#attempt([() => this.#open({ path })]);
    else if (family) this.#connect([{ address: host, family }]);
    else this.#find(host);
  }

  #find(host: string): void {
    const { lookup = ownLookup as LookupFunction, hints, localAddress } = this.#options;
    const family = this.#options.family || isIP(localAddress ?? '');
    lookup(
      host,
      { family, all: true, ...(hints !== undefined && { hints }) },
      (error, found, six) => {
        if (this.#over || this.#attempts) return;
        if (error) {
          this.#fail(error);
          return;
        }
        // As for dns.lookup, one that does not know `all` gives one address.
        const all: LookupAddress[] =
          typeof found === 'string' ? [{ address: found, family: six ?? isIP(found) }] : found;
        const fitting = all.filter((one) => !family || one.family === family);
        if (fitting.length > 0) this.#connect(fitting);
        else this.#fail(resolverError('ENOTFOUND', 'getaddrinfo', host));
      },
    );
  }

  #connect(addresses: HostAddress[]): void {
    const { port } = this.#options;
    this.#attempt(
      interleave(addresses).map(
        ({ address, family }) =>
          () =>
            this.#open({ host: address, family, port }),
      ),
    );
  }

  #attempt(openers: (() => NetSocket)[]): void {
    const { attemptDelay = defaultAttemptDelay, localPort, host, port } = this.#options;
    const delay = localPort ? Number.POSITIVE_INFINITY : attemptDelay;
    this.#attempts = new Attempts(openers, delay, (stream, errors) => {
      if (stream) this.#stands(stream);
      else if (errors.length === 1) this.#fail(errors[0] as Error);
      else this.#fail(new ConnectError(`${host ?? 'localhost'}:${port}`, errors));
    });
    this.#attempts.start();
  }

  #open(where: object): NetSocket {
    const {
      tls: _tls,
      timeout: _timeout,
      attemptDelay: _delay,
      lookup: _lookup,
      hints: _hints,
      ...rest
    } = this.#options;
    const own = { allowHalfOpen: true, autoSelectFamily: false };
    return createConnection({ noDelay: true, ...rest, ...where, ...own } as never);
  }

  #stands(stream: NetSocket): void {
    const { tls, host = 'localhost', path } = this.#options;
    if (!tls) {
      this.#over = true;
      this.#done(new Socket(stream));
      return;
    }
    const servername = path === undefined && !isIP(host) ? { servername: host } : {};
    const given = tls === true ? undefined : tls;
    const secure = connectTls({
      host,
      ...servername,
      ...given,
      socket: stream,
    } as ConnectionOptions);
    this.#secure = secure;
    const failed = (error: Error) => this.#fail(error);
    const closed = () =>
      this.#fail(Object.assign(new Error('connect(): the peer closed'), { code: 'ECONNRESET' }));
    secure
      .once('error', failed)
      .once('close', closed)
      .once('secureConnect', () => {
        this.#over = true;
        this.#done(new Socket(secure));
        secure.off('error', failed).off('close', closed);
      });
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.close();
    this.#failed(error);
  }

  close(): void {
    this.#over = true;
    this.#attempts?.close();
    this.#secure?.on('error', () => {}).destroy();
  }
}

/** Parks until `stream` says `secureConnect`; a kill or a timeout destroys it. */
function awaitSecure(stream: TLSSocket, what: string, timeout: number | undefined): void {
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
  stream.once('secureConnect', opened).once('error', failed).once('close', closed);
  try {
    if (waitAtMost<true>(waiter, timeout) === expired) throw timedOut(timeout);
  } catch (error) {
    stream.on('error', () => {}); // what still comes is a consequence of the destroy
    stream.destroy();
    throw error;
  } finally {
    stream.off('secureConnect', opened).off('error', failed).off('close', closed);
  }
}

/**
 * Connects, parking until the connection stands, with TLS until its handshake is done. Of a name with
 * several addresses the first to answer is taken, however slow it is; `timeout` bounds it all.
 *
 * @throws Timeout, InvalidArgumentError, Node's errors with their codes (ECONNREFUSED, ENOTFOUND,
 *   ERR_TLS_CERT_ALTNAME_INVALID and so on); ConnectError with the `errors` of all addresses where there
 *   were several
 */
export function connect(options: ConnectOptions): Socket {
  checkOptions(options);
  const timeout = 'timeout' in options ? options.timeout : defaultTimeout;
  const waiter = new Waiter<Socket | typeof expired>('connect()');
  const connecting = new Connecting(
    options,
    (socket) => waiter.wake(socket) || socket.destroy(),
    (error) => void waiter.fail(error),
  );
  try {
    connecting.start();
  } catch (error) {
    connecting.close();
    throw error;
  }
  const socket = waitAtMost<Socket>(
    waiter,
    timeout,
    () => connecting.close(),
    (late) => late.destroy(),
  );
  if (socket === expired) throw timedOut(timeout);
  return socket;
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
  awaitSecure(stream, 'startTls()', timeout);
  return new Socket(stream);
}
