/** transaction(): WATCH, read, MULTI, EXEC; and again if somebody was faster. */
import { InvalidArgumentError } from '@tendril/core';
import { type RedisArgument, WatchError } from 'redis';
import type { SessionBase } from './session.js';

export interface TransactionOptions {
  /** How often it is tried again when a key has changed meanwhile; default 10. */
  retries?: number;
}

const defaultRetries = 10;

/** @throws WatchError when it was in vain every time */
export function transact(
  session: SessionBase,
  keys: RedisArgument | RedisArgument[],
  fn: (session: SessionBase) => unknown,
  { retries = defaultRetries }: TransactionOptions = {},
): unknown[] | undefined {
  if (!(typeof retries === 'number' && retries >= 0))
    throw new InvalidArgumentError('retries', 'a number from 0 on', retries);
  for (let left = retries; ; left--) {
    session.watch(keys);
    const multi = fn(session) as { exec?: () => unknown[] } | undefined;
    if (typeof multi?.exec !== 'function') {
      session.unwatch();
      return undefined;
    }
    try {
      return multi.exec();
    } catch (error) {
      if (!(error instanceof WatchError) || left <= 0) throw error;
    }
  }
}
