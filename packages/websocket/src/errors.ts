/** Errors of opening a WebSocket, and of using one that is closed. */
import { TendrilError } from '@tendril/core';

/** Of each error: what an application answers, and what it means. */
const refusals = {
  ERR_WEBSOCKET_UPGRADE: [426, 'The request asks for no WebSocket'],
  ERR_WEBSOCKET_VERSION: [
    426,
    'Only version 13 of the protocol is spoken here; the client asks for',
  ],
  ERR_WEBSOCKET_METHOD: [400, 'A WebSocket is asked for by GET; got'],
  ERR_WEBSOCKET_KEY: [400, 'Sec-WebSocket-Key must be 16 bytes as base64'],
  ERR_WEBSOCKET_BODY: [400, 'A request for a WebSocket must have no body'],
  ERR_WEBSOCKET_OFFER: [400, 'The offered protocols or extensions are malformed'],
  ERR_WEBSOCKET_ORIGIN: [403, 'Pages of this origin may not connect:'],
  ERR_WEBSOCKET_REFUSED: [0, 'The server refused the WebSocket with status'],
  ERR_WEBSOCKET_ANSWER: [0, 'The server’s answer is no valid WebSocket handshake:'],
} as const;

export type HandshakeErrorCode = keyof typeof refusals;

/**
 * No WebSocket came of it. From `accept`: the request is not one for a WebSocket, or may not have one;
 * `status` is what to answer. From `connect`: the server refused (`status` is its answer) or does not
 * speak the protocol (0).
 */
export class HandshakeError extends TendrilError {
  declare readonly code: HandshakeErrorCode;
  readonly status: number;

  constructor(code: HandshakeErrorCode, got?: string | number, options?: ErrorOptions) {
    const [status, message] = refusals[code];
    super(code, got === undefined ? `${message}.` : `${message} ${got}.`, options);
    this.status = code === 'ERR_WEBSOCKET_REFUSED' ? Number(got) : status;
  }
}

/** Something was to be sent on a WebSocket that is closed, by either side or by an error. */
export class WebSocketClosedError extends TendrilError {
  /** As {@link WebSocket.closeCode}. */
  readonly closeCode: number | undefined;

  constructor(closeCode: number | undefined, options?: ErrorOptions) {
    const known = closeCode === undefined ? '' : ` (${closeCode})`;
    super(
      'ERR_WEBSOCKET_CLOSED',
      `This WebSocket is closed${known}: nothing more can be sent. Stop sending when receive() returns undefined.`,
      options,
    );
    this.closeCode = closeCode;
  }
}
