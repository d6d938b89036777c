/** The client's half of the opening handshake: RFC 6455, 4.2.1. */
import type { Environ } from '@tendril/wsgi';
import { HandshakeError } from './errors.js';

/** Which pages may connect. */
export type Origins = 'same' | '*' | readonly string[];

/** 16 bytes as base64. */
const keyForm = /^[+/\dA-Za-z]{22}==$/;
const tokenForm = /^[\w!#$%&'*+.^`|~-]+$/;

function text(environ: Environ, key: string): string | undefined {
  const value = environ[key];
  return typeof value === 'string' ? value : undefined;
}

/** Protocols that the client offers, best first. @throws HandshakeError */
export function offeredProtocols(environ: Environ): string[] {
  const list = text(environ, 'HTTP_SEC_WEBSOCKET_PROTOCOL');
  if (list === undefined) return [];
  const offered = list.split(',').map((each) => each.trim());
  if (new Set(offered).size < offered.length || !offered.every((each) => tokenForm.test(each)))
    throw new HandshakeError('ERR_WEBSOCKET_OFFER');
  return offered;
}

// Browsers send cookies along from any page, and tell by Origin which one it was; what is no browser
// sends none, and could send any.
function checkOrigin(environ: Environ, origins: Origins): void {
  const origin = text(environ, 'HTTP_ORIGIN');
  if (origins === '*' || origin === undefined) return;
  if (origins !== 'same') {
    if (origins.includes(origin)) return;
  } else if (URL.canParse(origin)) {
    // The scheme is not compared: a proxy in front of us may speak TLS.
    if (new URL(origin).host === (text(environ, 'HTTP_HOST') ?? '').toLowerCase()) return;
  }
  throw new HandshakeError('ERR_WEBSOCKET_ORIGIN', origin);
}

/** @throws HandshakeError for anything but a request that may have a WebSocket */
export function checkHandshake(environ: Environ, origins: Origins): void {
  if (!environ['tendril.upgrade'] || text(environ, 'HTTP_UPGRADE')?.toLowerCase() !== 'websocket')
    throw new HandshakeError('ERR_WEBSOCKET_UPGRADE');
  if (environ.REQUEST_METHOD !== 'GET')
    throw new HandshakeError('ERR_WEBSOCKET_METHOD', environ.REQUEST_METHOD);
  const version = text(environ, 'HTTP_SEC_WEBSOCKET_VERSION');
  if (version !== '13') throw new HandshakeError('ERR_WEBSOCKET_VERSION', version ?? 'none');
  if (!keyForm.test(text(environ, 'HTTP_SEC_WEBSOCKET_KEY') ?? ''))
    throw new HandshakeError('ERR_WEBSOCKET_KEY');
  const hasBody = Number(environ.CONTENT_LENGTH ?? 0) > 0 || 'HTTP_TRANSFER_ENCODING' in environ;
  if (hasBody || !environ['wsgi.input'].ended) throw new HandshakeError('ERR_WEBSOCKET_BODY');
  checkOrigin(environ, origins);
}

/** What ws reads of a request, as `http.IncomingMessage` has it. */
export function requestFor(environ: Environ, socket: unknown) {
  const headers: Record<string, string> = {};
  for (const [key, value] of Object.entries(environ))
    if (key.startsWith('HTTP_') && typeof value === 'string')
      headers[key.slice(5).toLowerCase().replaceAll('_', '-')] = value;
  return {
    method: environ.REQUEST_METHOD,
    url: environ.REQUEST_URI,
    httpVersion: environ.SERVER_PROTOCOL.slice('HTTP/'.length),
    headers,
    socket,
  };
}
