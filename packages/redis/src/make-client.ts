/** makeClient(): node-redis's client, of a class that is made once. */
import { type AnyRedisClientOptions, createClient } from 'redis';
import type { Raw } from './raw.js';

type Class = new (options: AnyRedisClientOptions) => Raw;

/** By the protocol's version, which is all that they depend on. */
const classes = new Map<number | undefined, Class>();

/**
 * A client as `createClient` of node-redis makes it. That one makes a class with all the commands, some
 * milliseconds of work, whenever any option, the address included, is not the one of the call before;
 * for a process with several servers that is each time. One with commands of its own is left to it.
 *
 * @throws what node-redis throws for options that it does not take
 */
export function makeClient(options: AnyRedisClientOptions): Raw {
  const { RESP, modules, functions, scripts } = options;
  const own = modules ?? functions ?? scripts;
  const type = own ? undefined : classes.get(RESP);
  // It gives an object on top of the client, whose command options are its own.
  if (type) return Object.create(new type(options));
  const raw = createClient(options) as unknown as Raw;
  if (!own) classes.set(RESP, Object.getPrototypeOf(Object.getPrototypeOf(raw)).constructor);
  return raw;
}
