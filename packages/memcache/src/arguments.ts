/** Checks of what is handed in: nothing malformed is sent. */
import { InvalidArgumentError } from '@tendril/core';

/** Bytes that memcached takes as a key, at most. */
const maxKey = 250;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
const forbidden = /[\x00-\x20\x7f]/;
/** Encoded, two keys with these would be the same. */
const loneSurrogate = /\p{Surrogate}/u;
const lastSecond = 2 ** 32 - 1;

/** @throws InvalidArgumentError for what is no key */
export function checkKey(key: string): void {
  if (
    typeof key !== 'string' ||
    key === '' ||
    forbidden.test(key) ||
    key.length > maxKey ||
    (key.length > maxKey / 3 && Buffer.byteLength(key) > maxKey) ||
    loneSurrogate.test(key)
  )
    throw new InvalidArgumentError(
      'key',
      `a string of 1 to ${maxKey} bytes, without spaces and control characters`,
      key,
    );
}

/** @throws InvalidArgumentError for what is no value, after the serializer */
export function checkValue(value: unknown): asserts value is string | Buffer {
  if (typeof value !== 'string' && !Buffer.isBuffer(value))
    throw new InvalidArgumentError('value', 'a string or a Buffer', value);
}

/** @throws InvalidArgumentError unless it is a whole number of seconds */
export function checkExpires(expires: number): number {
  if (Number.isInteger(expires) && expires >= 0 && expires <= lastSecond) return expires;
  throw new InvalidArgumentError('expires', 'a whole number of seconds, 0 for never', expires);
}

/** @throws InvalidArgumentError unless it is a whole number from 0 on that is exact */
export function checkCount(name: string, count: number): bigint {
  if (Number.isSafeInteger(count) && count >= 0) return BigInt(count);
  throw new InvalidArgumentError(name, 'a whole number from 0 to 2^53 - 1', count);
}
