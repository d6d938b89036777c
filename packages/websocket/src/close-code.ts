/** Close codes: RFC 6455, 7.4. */
import { InvalidArgumentError } from '@tendril/core';

/** These stand for the lack of a code, and are never sent. */
const reserved = [1004, 1005, 1006];
/** A control frame holds 125 bytes, two of which are the code. */
const longestReason = 123;

/** @throws InvalidArgumentError */
export function checkClose(code: number, reason: string): void {
  const known = code >= 1000 && code <= 1014 && !reserved.includes(code);
  if (!(Number.isInteger(code) && (known || (code >= 3000 && code <= 4999))))
    throw new InvalidArgumentError('code', 'a close code that may be sent', code);
  if (typeof reason !== 'string' || Buffer.byteLength(reason) > longestReason)
    throw new InvalidArgumentError('reason', `a string of at most ${longestReason} bytes`, reason);
}

const codes: Readonly<Record<string, number>> = {
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_INVALID_UTF8: 1007,
};

/** What ws has sent to the peer for `error`; undefined for errors that are none of the peer's. */
export function codeOf(error: Error): number | undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (!code?.startsWith('WS_ERR_')) return undefined;
  return codes[code] ?? 1002;
}
