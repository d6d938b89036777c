/** Which commands block their connection, and how what they have popped is put back. */
import type { RedisArgument } from 'redis';
import type { Args } from './raw.js';

export interface Blocking {
  /** As Redis names it. */
  readonly command: string;
  /**
   * The commands that put back what a killed one has popped; undefined where nothing is taken away:
   * moved elements lie in their destination, messages of a stream's group with their consumer.
   */
  readonly restore?: (reply: unknown, args: readonly unknown[]) => Args[];
  /** Sent just before it on its connection. */
  readonly before?: Args;
  /** Which of its arguments says for how long it blocks; default the last one, in seconds. */
  readonly limit?: { readonly at: number; readonly unit: number };
}

type Scored = { value: RedisArgument; score: number | string };

// Replies are objects from node-redis's commands, and arrays from sendCommand().

function popped(reply: unknown): [key: RedisArgument, element: RedisArgument] {
  if (Array.isArray(reply)) return reply as [RedisArgument, RedisArgument];
  const { key, element } = reply as { key: RedisArgument; element: RedisArgument };
  return [key, element];
}

/** Elements in the order in which they were popped; the last of them goes back first. */
function poppedMany(reply: unknown, args: readonly unknown[]): Args[] {
  const [key, elements] = reply as [RedisArgument, RedisArgument[]];
  const left = args.some((arg) => String(arg).toUpperCase() === 'LEFT');
  return [[left ? 'LPUSH' : 'RPUSH', key, ...elements.toReversed()]];
}

/** NX: whoever has added the member anew meanwhile is right about its score. */
function add(key: RedisArgument, members: Scored[]): Args[] {
  const pairs = members.flatMap(({ value, score }) => [String(score), value]);
  return [['ZADD', key, 'NX', ...pairs]];
}

function poppedScored(reply: unknown): Args[] {
  if (!Array.isArray(reply)) {
    const { key, ...member } = reply as Scored & { key: RedisArgument };
    return add(key, [member]);
  }
  const [key, value, score] = reply;
  return add(key, [{ value, score }]);
}

function poppedManyScored(reply: unknown): Args[] {
  if (!Array.isArray(reply)) {
    const { key, members } = reply as { key: RedisArgument; members: Scored[] };
    return add(key, members);
  }
  const [key, pairs] = reply as [RedisArgument, [RedisArgument, number][]];
  return add(
    key,
    pairs.map(([value, score]) => ({ value, score })),
  );
}

/**
 * WAIT is about the writes of its own connection. Replicas get all writes in one order, so that one
 * of its own that changes nothing stands for all that were made before, on whatever connection.
 */
const before = ['PUBLISH', 'tendril:wait', ''];
const second = 1000;
const first = { at: 0, unit: second };
const inMilliseconds = { at: -1, unit: 1 };

const blocking: readonly Blocking[] = [
  { command: 'BLPOP', restore: (reply) => [['LPUSH', ...popped(reply)]] },
  { command: 'BRPOP', restore: (reply) => [['RPUSH', ...popped(reply)]] },
  { command: 'BLMPOP', restore: poppedMany, limit: first },
  { command: 'BZPOPMIN', restore: poppedScored },
  { command: 'BZPOPMAX', restore: poppedScored },
  { command: 'BZMPOP', restore: poppedManyScored, limit: first },
  { command: 'BLMOVE' },
  { command: 'BLMOVEM', limit: { at: 4, unit: second } },
  { command: 'BRPOPLPUSH' },
  { command: 'XREAD' },
  { command: 'XREADGROUP' },
  { command: 'WAIT', before, limit: inMilliseconds },
  { command: 'WAITAOF', before, limit: inMilliseconds },
];

const byCommand = new Map(blocking.map((each) => [each.command, each]));

/** `name` in any case; undefined for commands that never block. */
export function blockingOf(name: string): Blocking | undefined {
  return byCommand.get(name.toUpperCase());
}

/** The first key of a command as node-redis's methods take it; undefined if it has none. */
export function keyOf({ command }: Blocking, args: readonly unknown[]): RedisArgument | undefined {
  if (command.startsWith('WAIT')) return undefined;
  const at = command === 'XREADGROUP' ? 2 : command.endsWith('MPOP') ? 1 : 0;
  const [first] = [args[at]].flat() as (RedisArgument | { key: RedisArgument })[];
  return typeof first === 'object' && 'key' in first ? first.key : first;
}

const isBlock = (arg: unknown): boolean =>
  typeof arg === 'object' && arg !== null && !Buffer.isBuffer(arg)
    ? (arg as { BLOCK?: number }).BLOCK !== undefined
    : String(arg).toUpperCase() === 'BLOCK';

/** Reads of streams block only when told to. */
export function blocks({ command }: Blocking, args: readonly unknown[]): boolean {
  return !command.startsWith('XREAD') || args.some(isBlock);
}

/** The BLOCK of a read of streams, wherever it stands. */
function blockOf(args: readonly unknown[]): unknown {
  const at = args.findIndex(isBlock);
  const arg = args[at];
  return typeof arg === 'object' && !Buffer.isBuffer(arg)
    ? (arg as { BLOCK?: number } | null)?.BLOCK
    : args[at + 1];
}

/** Milliseconds for which it blocks at most; Infinity for those that have no limit. */
export function limitOf({ command, limit }: Blocking, args: readonly unknown[]): number {
  const { at, unit } = limit ?? { at: -1, unit: second };
  const ms = command.startsWith('XREAD') ? Number(blockOf(args)) : Number(args.at(at)) * unit;
  return ms > 0 ? ms : Number.POSITIVE_INFINITY;
}

/** The reply as it would have come without Buffers. */
export function decoded(reply: unknown): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString();
  if (Array.isArray(reply)) return reply.map(decoded);
  if (typeof reply !== 'object' || reply === null) return reply;
  return Object.fromEntries(Object.entries(reply).map(([name, value]) => [name, decoded(value)]));
}
