/** What is wrong with a request, and the status that says so. */
import { TendrilError } from '@tendril/core';

/**
 * Every way in which a request can be refused: its code, the status it is answered with, and the
 * sentence that the client and the log get.
 */
export const refusals = {
  ERR_HTTP_METHOD: [400, 'The method is not a token'],
  ERR_HTTP_METHOD_LONG: [501, 'The method is longer than any that is known'],
  ERR_HTTP_METHOD_CONNECT: [501, 'CONNECT is not served here'],
  ERR_HTTP_TARGET: [400, 'The request target is not in a form that fits the method'],
  ERR_HTTP_SCHEME: [421, 'An https target on a connection that is not encrypted'],
  ERR_HTTP_VERSION: [400, 'The protocol version is not HTTP/1.0 or HTTP/1.1'],
  ERR_HTTP_REQUEST_LINE: [414, 'The request line is too long'],
  ERR_HTTP_LINE_END: [400, 'A line does not end with CR LF'],
  ERR_HTTP_HEADER_NAME: [400, 'A header name is empty or not a token'],
  ERR_HTTP_HEADER_SPACE: [400, 'There is white space between a header name and its colon'],
  ERR_HTTP_HEADER_FOLD: [400, 'A header line begins with white space'],
  ERR_HTTP_HEADER_VALUE: [400, 'A header value holds a control character'],
  ERR_HTTP_HEADER_COUNT: [431, 'There are too many header lines'],
  ERR_HTTP_HEADER_SIZE: [431, 'The header section is too large'],
  ERR_HTTP_HOST: [400, 'The Host header is missing, repeated or invalid'],
  ERR_HTTP_CONTENT_LENGTH: [400, 'Content-Length is repeated or no plain decimal number'],
  ERR_HTTP_LENGTH_AND_CODING: [400, 'Content-Length and Transfer-Encoding exclude each other'],
  ERR_HTTP_CODING: [400, 'Transfer-Encoding is empty, repeated, or chunked is not its last'],
  ERR_HTTP_CODING_UNKNOWN: [501, 'The transfer coding is not known here'],
  ERR_HTTP_CODING_OLD: [400, 'Transfer-Encoding does not exist in HTTP/1.0'],
  ERR_HTTP_EXPECT: [417, 'The expectation is not known here'],
  ERR_HTTP_BODY_SIZE: [413, 'The body is too large'],
  ERR_HTTP_CHUNK_SIZE: [400, 'A chunk size is no plain hexadecimal number'],
  ERR_HTTP_CHUNK_EXTENSION: [400, 'A chunk extension is too long or not of the form name=value'],
  ERR_HTTP_CHUNK_END: [400, 'A chunk is not followed by CR LF'],
  ERR_HTTP_TRAILER: [400, 'A trailer has a name that must not stand there'],
  ERR_HTTP_BODY_SHORT: [400, 'The connection ended in the middle of the body'],
  ERR_HTTP_HEAD_TIMEOUT: [408, 'The request did not come in time'],
  ERR_HTTP_BODY_TIMEOUT: [408, 'The body did not come in time'],
  ERR_HTTP_BUSY: [503, 'The server is full; try again later'],
} as const satisfies Record<string, readonly [status: number, message: string]>;

export type RefusalCode = keyof typeof refusals;

/** A request, or the rest of one, that is refused. The connection closes with the answer. */
export class RequestError extends TendrilError {
  declare readonly code: RefusalCode;
  /** The status to answer with. */
  readonly status: number;

  constructor(code: RefusalCode) {
    const [status, message] = refusals[code];
    super(code, `${message}.`);
    this.status = status;
  }
}
