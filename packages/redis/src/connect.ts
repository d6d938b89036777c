/** connect(): a connection of node-redis's, made within a limit. */
import { park, withoutContext, withTimeout } from '@tendril/core';
import { ConnectionTimeoutError, ErrorReply } from 'redis';
import { withCode } from './errors.js';
import type { Raw } from './raw.js';
import { reasonOf, type Stop } from './stop.js';

const ignore = () => {};
const late = Symbol('late');

/** The server will say the same next time. */
function isRefusal(error: unknown): boolean {
  const refusal = /^(WRONGPASS|NOAUTH|NOPERM|DENIED|ERR AUTH|ERR invalid)/;
  return error instanceof ErrorReply && refusal.test(error.message);
}

/**
 * Ends it, whatever it is doing. Its own destroy() does not reach a socket that is still connecting,
 * and one in the middle of a handshake comes to life after it: hence the signal, and the second call.
 */
export function shut(raw: Raw, stop: Stop, connecting?: Promise<unknown>): void {
  // A sentinel's answers with a promise.
  const destroy = () => Promise.resolve<unknown>(raw.destroy()).catch(ignore);
  destroy();
  stop.abort();
  connecting?.then(destroy, destroy);
}

/**
 * Connects, parking for at most `timeout` milliseconds, in which node-redis may try several times.
 * What the server itself refuses (a wrong password) is final. A kill leaves nothing behind.
 *
 * @throws the last error, with a code: Node's (ECONNREFUSED), ERR_REDIS_CONNECTION_LOST, ErrorReply,
 *   ConnectionTimeoutError
 */
export function connect(raw: Raw, stop: Stop, timeout: number): void {
  let last: unknown = new ConnectionTimeoutError();
  const attempt = () =>
    park<unknown>((resume) => {
      // It is for all who use it later, and connects again by itself.
      const connecting = withoutContext(() => raw.connect());
      const onError = (given: unknown) => {
        const error = reasonOf(given);
        last = error;
        if (!isRefusal(error)) return;
        resume.error(error);
        shut(raw, stop, connecting);
      };
      raw.on('error', onError);
      connecting
        .then(resume, (error) => {
          // That of an attempt which was ended because of a refusal says nothing.
          if (!isRefusal(last)) resume.error(withCode(error));
        })
        .finally(() => raw.off('error', onError))
        .catch(ignore);
      return () => shut(raw, stop, connecting);
    });
  if (withTimeout(timeout, attempt, { value: late }) === late) throw withCode(last);
}
