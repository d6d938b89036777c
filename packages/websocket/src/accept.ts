/** accept(): the server side of the opening handshake. */
import type { IncomingMessage } from 'node:http';
import { getCurrent, InvalidArgumentError } from '@tendril/core';
import { ClientGoneError, type Environ, type Upgrade } from '@tendril/wsgi';
import { WebSocketServer } from 'ws';
import { HandshakeError } from './errors.js';
import { checkHandshake, type Origins, offeredProtocols, requestFor } from './handshake.js';
import { type Settings, settingsOf, type WebSocketOptions } from './options.js';
import { WebSocket } from './websocket.js';
import { Wire, wireOptions } from './wire.js';

export interface AcceptOptions extends WebSocketOptions {
  /**
   * Subprotocols of this server, best first: the first that the client offers, too, is taken. Or a
   * function that chooses. None by default, and when none is common.
   */
  protocols?:
    | readonly string[]
    | ((offered: readonly string[], environ: Environ) => string | undefined);
  /**
   * Origins whose pages may connect (`https://example.org`); `*` for any. Default `same`: pages of the
   * host that they connect to. Clients without an Origin are no browsers, and pass.
   */
  origins?: Origins;
}

interface Acceptor {
  readonly settings: Settings;
  readonly server: WebSocketServer;
}

const defaultPingInterval = 30_000;
const noOptions: AcceptOptions = {};
const nothing = Buffer.alloc(0);

/** Options are the same for all connections of an application: their side of ws is made once. */
const acceptors = new WeakMap<AcceptOptions, Acceptor>();

/** The choice travels with the request. */
type Chosen = IncomingMessage & { protocol: string | undefined };

function acceptorOf(options: AcceptOptions): Acceptor {
  const known = acceptors.get(options);
  if (known) return known;
  const settings = settingsOf(options, defaultPingInterval);
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    WebSocket: Wire,
    ...wireOptions(settings),
    handleProtocols: (_offered, request) => (request as Chosen).protocol ?? false,
  } as ConstructorParameters<typeof WebSocketServer>[0]);
  const acceptor = { settings, server };
  acceptors.set(options, acceptor);
  return acceptor;
}

// Before anything has been sent: a chooser that throws leaves a request that can still be answered.
function choose(environ: Environ, { protocols }: AcceptOptions): string | undefined {
  const offered = offeredProtocols(environ);
  if (!protocols || offered.length === 0) return undefined;
  if (typeof protocols !== 'function') return protocols.find((each) => offered.includes(each));
  const chosen = protocols(offered, environ);
  if (chosen !== undefined && !offered.includes(chosen))
    throw new InvalidArgumentError(
      'protocols',
      'a function that returns one of its first argument',
      chosen,
    );
  return chosen;
}

/** `accept`, for those who see to the end themselves. */
export function open(environ: Environ, options: AcceptOptions = noOptions): WebSocket {
  const { settings, server } = acceptorOf(options);
  checkHandshake(environ, options.origins ?? 'same');
  const protocol = choose(environ, options);
  const stream = (environ['tendril.upgrade'] as Upgrade)().detach();
  const request = Object.assign(requestFor(environ, stream), { protocol });
  let socket: WebSocket | undefined;
  server.handleUpgrade(request as unknown as IncomingMessage, stream, nothing, (raw) => {
    socket = new WebSocket(raw as Wire, stream, settings);
    raw.resume(); // the server had paused the stream
  });
  if (socket) return socket;
  // ws has answered itself, or found nobody to answer.
  if (stream.destroyed) throw new ClientGoneError();
  throw new HandshakeError('ERR_WEBSOCKET_OFFER');
}

/**
 * Answers a request for a WebSocket with 101, and gives the WebSocket. It is closed when the greenlet
 * that called this ends, with 1001 if that was killed, or else with 1000.
 *
 * @throws HandshakeError if it is no such request or may not have one: nothing has been sent, answer
 *   with the error's `status`; ClientGoneError
 */
export function accept(environ: Environ, options?: AcceptOptions): WebSocket {
  const socket = open(environ, options);
  // The connection is nobody's when its application has ended, whoever forgot to close it.
  const greenlet = getCurrent();
  const signal = greenlet?.signal;
  greenlet?.link(() => socket.close(signal?.aborted ? 1001 : 1000));
  return socket;
}
