/** pg's own client: how it is made, and the parts of it that its types leave out. */
import { Socket } from 'node:net';
import { park } from '@tendril/core';
import { lookup } from '@tendril/core/resolver';
import { type Connection, Client as PgClient, type TransactionStatus } from 'pg';
import { type ClientOptions, keepAliveOf } from './options.js';

/** A message of the server that is no error. */
export interface Notice {
  readonly severity: string | undefined;
  readonly code: string | undefined;
  readonly message: string | undefined;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
}

export interface RawConnection extends Connection {
  /** The texts of named statements, by name: known to the server, and on their way to it. */
  parsedStatements: Record<string, string | undefined>;
  submittedNamedStatements: Record<string, string | undefined>;
  /** `port` is a path for a socket in the file system. */
  connect(port: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processID: number, secretKey: number): void;
}

export interface RawClient extends Omit<PgClient, 'connection' | 'ssl' | 'query'> {
  readonly connection: RawConnection;
  readonly connectionParameters: { query_timeout?: number | string | false };
  readonly processID: number | null;
  readonly secretKey: number | null;
  readonly ssl: unknown;
  readonly sslNegotiation: 'postgres' | 'direct';
  query(submittable: object): void;
  getTransactionStatus(): TransactionStatus;
}

/** Finds names by our resolver; pg's own socket would wait for libuv's thread pool. */
export class NamedSocket extends Socket {
  readonly #address: string | undefined;

  /** With an `address` it connects there, whatever the name. */
  constructor(address?: string) {
    super();
    this.#address = address;
  }

  override connect(...args: unknown[]): this {
    const [port, host] = args;
    if (typeof port !== 'number') return super.connect(port as string);
    return super.connect({ port, host: this.#address ?? (host as string), lookup });
  }
}

/** A client that is not connected yet. @throws what pg throws for options that it does not take */
export function makeRaw(options: ClientOptions): RawClient {
  const raw = new PgClient({
    ...options,
    ...keepAliveOf(options),
    // Limits are ours: those of the driver would leave the query running on the server.
    connectionTimeoutMillis: 0,
    stream: options.stream ?? (() => new NamedSocket()),
  }) as unknown as RawClient;
  return raw;
}

/** Parks until the server has let us in. `ready` is called for each ReadyForQuery. */
export function connectRaw(raw: RawClient, ready: () => void): void {
  park<void>((resume) => {
    (raw.connect as (callback: (error?: Error) => void) => void)((error) =>
      error ? resume.error(error) : resume(),
    );
    // After pg's own listener: by then the operation knows its result.
    raw.connection.on('readyForQuery', ready);
    return () => {};
  });
}

/** Bytes: the queries that one packet of Ethernet takes. */
const batch = 1400;

/**
 * Sends a query. One that the server would only have to put into line waits for the others of this
 * turn of the hub, until they fill a packet: a write for each would be a quarter of what queries cost.
 * With `idle`, when the server has nothing to do, it goes out at once.
 */
export function submit(raw: RawClient, submittable: object, idle: boolean): void {
  if (raw.pipeline && !idle) hold(raw.connection.stream as Socket);
  raw.query(submittable);
}

function hold(stream: Socket): void {
  if (stream.writableCorked === 0) {
    stream.cork();
    // After the turn.
    process.nextTick(() => stream.uncork());
  } else if (stream.writableLength >= batch) {
    stream.uncork();
    stream.cork();
  }
}
