/** CancelRequest: asks the server, on a connection beside, to stop what another one is working on. */
import { Connection } from 'pg';
import { NamedSocket, type RawClient, type RawConnection } from './driver.js';
import type { ClientOptions } from './options.js';

type MakeConnection = new (config: object) => RawConnection;

/**
 * Sends it, over TLS if the main connection uses TLS. `done` is called once: without an error when the
 * server has closed this connection, which it does only after it has sent the signal. With an error it
 * is not known whether a signal is still to come.
 *
 * The function returned takes it back, if nothing has been sent yet.
 *
 * `address` is that of the main connection: its name may mean several servers.
 */
export function cancelRequest(
  raw: RawClient,
  options: ClientOptions,
  address: string | undefined,
  timeout: number,
  done: (error?: Error) => void,
): () => void {
  const { processID, secretKey, host, port } = raw;
  if (processID === null || secretKey === null) {
    setImmediate(done, new Error('no key to cancel with'));
    return () => {};
  }
  const connection = new (Connection as unknown as MakeConnection)({
    ssl: raw.ssl,
    sslNegotiation: raw.sslNegotiation,
    stream: options.stream ?? (() => new NamedSocket(address)),
  });
  let failure: Error | undefined;
  let sent = false;
  const fail = (error: Error) => {
    failure ??= error;
    connection.stream.destroy();
  };
  const timer = setTimeout(() => fail(new Error('the cancel request was not answered')), timeout);
  connection.on('error', fail);
  connection.once('end', () => {
    clearTimeout(timer);
    // What was not sent cannot strike.
    done(sent ? failure : undefined);
  });
  const send = () => {
    sent = true;
    connection.cancel(processID, secretKey);
  };
  connection.once('connect', () => {
    if (!raw.ssl) send();
    else if (raw.sslNegotiation !== 'direct') connection.requestSsl();
  });
  connection.once('sslconnect', send);
  if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`);
  else connection.connect(port, host);
  return () => {
    if (!sent) connection.stream.destroy();
  };
}
