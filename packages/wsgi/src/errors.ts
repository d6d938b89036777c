/** Errors of applications: what the gateway refuses to send or to do. */
import { TendrilError } from '@tendril/core';

const messages = {
  ERR_WSGI_STATUS: 'The status must be three digits from 200 to 599, a space and a reason; got',
  ERR_WSGI_HEADER_NAME: 'A header name must be a token; got',
  ERR_WSGI_HEADER_VALUE: 'A header value must be latin1 text without control characters; not so in',
  ERR_WSGI_HOP: 'The connection is the server’s business; an application must not set',
  ERR_WSGI_CONTENT_LENGTH: 'Content-Length must be given once, as a plain number; got',
  ERR_WSGI_BODY_LONG: 'The body is longer than its Content-Length of',
  ERR_WSGI_BODY_SHORT: 'The body is shorter than its Content-Length: what is missing is',
  ERR_WSGI_BODY_TYPE: 'A body consists of strings and bytes; got',
  ERR_WSGI_NOT_STARTED: 'startResponse() must be called before the first piece of the body',
  ERR_WSGI_STARTED: 'startResponse() was called again without an error in its third place',
  ERR_WSGI_APP: 'An application returns an iterable of strings or bytes; got',
  ERR_WSGI_RESPONSE: 'A fetch handler returns a Response, or a promise of one; got',
  ERR_WSGI_UPGRADE: 'The connection cannot be taken over:',
} as const;

export type ResponseErrorCode = keyof typeof messages;

/** An application broke a rule of PEP 3333 or of HTTP. The client gets 500, if it has got nothing yet. */
export class ResponseError extends TendrilError {
  declare readonly code: ResponseErrorCode;

  constructor(code: ResponseErrorCode, got?: unknown) {
    const shown = got === undefined ? '' : ` ${JSON.stringify(String(got))}`;
    super(code, `${messages[code]}${shown}.`);
  }
}

/** The client has gone: nothing more can be read from it or sent to it. */
export class ClientGoneError extends TendrilError {
  constructor(cause?: unknown) {
    super(
      'ERR_CLIENT_GONE',
      'The client has closed the connection. Nobody waits for this response any more.',
      cause === undefined ? undefined : { cause },
    );
  }
}

/** The client took nothing of the response for `sendTimeout` milliseconds. */
export class SendTimeoutError extends TendrilError {
  constructor(ms: number) {
    super('ERR_SEND_TIMEOUT', `The client took nothing of the response for ${ms} ms.`);
  }
}
