/** connect(): a connection of mysql2, opened while the greenlet is parked. */
import { connect as connectSocket, type Socket } from 'node:net';
import { park } from '@tendril/core';
import { lookup } from '@tendril/core/resolver';
import { type ConnectionOptions, createConnection, type Connection as RawConnection } from 'mysql2';

export type { RawConnection };

/** What mysql2 has made of the options by the time that it asks for a socket. */
interface Wanted {
  readonly config: ConnectionOptions & { readonly host: string; readonly port: number };
}

/** Milliseconds of silence after which the kernel asks whether the server is there, each second, ten times. */
const keepAliveDelay = 10_000;

/** As mysql2 opens it, but names are asked for beside libuv's thread pool. */
function openSocket({ config }: Wanted): Socket {
  if (config.socketPath) return connectSocket(config.socketPath);
  const { host, port, localAddress, enableKeepAlive, keepAliveInitialDelay } = config;
  return connectSocket({
    host,
    port,
    noDelay: true,
    keepAlive: enableKeepAlive !== false,
    lookup: lookup as NonNullable<Parameters<typeof connectSocket>[0] & object>['lookup'],
    ...(localAddress === undefined ? undefined : { localAddress }),
    // With 0, mysql2's default, the kernel would wait for two hours.
    keepAliveInitialDelay: keepAliveInitialDelay || keepAliveDelay,
  } as never);
}

/** Its socket, with TLS or without. */
export function socketOf(raw: RawConnection): Socket {
  return (raw as unknown as { stream: Socket }).stream;
}

/** Breaks a connection off. */
export function sever(raw: RawConnection): void {
  raw.destroy();
  socketOf(raw).destroy();
}

/**
 * Opens a connection, parking until the server has let it in; a kill or a timeout breaks it off. The
 * limit is mysql2's `connectTimeout`, 10 s unless told otherwise.
 */
export function connect(options: ConnectionOptions): RawConnection {
  return park<RawConnection>((resume) => {
    const raw = createConnection({ ...options, stream: options.stream ?? openSocket });
    // Without a listener an error of a connection that nobody uses would end the process.
    raw.on('error', () => {});
    raw.connect((error) => {
      if (!error) return resume(raw);
      sever(raw);
      resume.error(error);
    });
    return () => sever(raw);
  });
}
