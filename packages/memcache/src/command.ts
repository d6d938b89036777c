/** Commands in memcached's binary protocol, and what their answers mean. */
import type { Response } from 'memjs';
import { checkCount, checkKey } from './arguments.js';
import { ServerError } from './errors.js';
import type { Answer, Request } from './exchange.js';
import { opcodes } from './opcodes.js';

export type CommandName = keyof typeof opcodes;

/** Statuses that are an answer and no error. */
export const keyNotFound = 1;
export const keyExists = 2;
export const notStored = 5;

/** Sent again on a new connection, these do no harm. */
const repeatable: ReadonlySet<string> = new Set<CommandName>(['get', 'set', 'touch']);

let lastOpaque = 0;

/** Numbers from 1 on (0 is the handshake's); unsigned, where memjs's turn negative at 2^31 and fail. */
function nextOpaque(): number {
  lastOpaque = lastOpaque === 0xffff_ffff ? 1 : lastOpaque + 1;
  return lastOpaque;
}

const none = Buffer.alloc(0);

const requestMagic = 0x80;
const headerLength = 24;

/** A request as it goes out; memjs's own function fills and copies five buffers for one. */
function frameOf(
  opcode: number,
  key: string,
  extras: Buffer | string,
  value: Buffer | string,
  opaque: number,
): Buffer {
  const keyLength = Buffer.byteLength(key);
  const extrasLength = Buffer.byteLength(extras);
  const valueLength = Buffer.byteLength(value);
  const frame = Buffer.allocUnsafe(headerLength + extrasLength + keyLength + valueLength);
  frame.writeUInt32BE(((requestMagic << 24) | (opcode << 16) | keyLength) >>> 0, 0);
  frame.writeUInt32BE((extrasLength << 24) >>> 0, 4);
  frame.writeUInt32BE(extrasLength + keyLength + valueLength, 8);
  frame.writeUInt32BE(opaque, 12);
  frame.fill(0, 16, headerLength); // the CAS
  let at = headerLength;
  at += put(frame, extras, at);
  at += put(frame, key, at);
  put(frame, value, at);
  return frame;
}

function put(frame: Buffer, part: Buffer | string, at: number): number {
  if (part.length === 0) return 0;
  return typeof part === 'string' ? frame.write(part, at) : part.copy(frame, at);
}

export function makeRequest(
  name: CommandName,
  key: string,
  extras: Buffer | string = none,
  value: string | Buffer = none,
): Request {
  const opaque = nextOpaque();
  const frame = frameOf(opcodes[name], key, extras, value, opaque);
  return { frame, opaque, repeatable: repeatable.has(name) };
}

/** Answered by a message for each statistic, and one without a name. */
export function makeStatRequest(key: string): Request {
  const isLast = ({ header }: Response) => header.status !== 0 || header.keyLength === 0;
  return { ...makeRequest('stat', key), isLast };
}

/** Gets that answer hits only, and a question behind them whose answer is the end. */
export function makeMultiRequest(keys: readonly string[]): Request {
  const opaque = nextOpaque();
  const make = (opcode: number, key: string) => frameOf(opcode, key, none, none, opaque);
  const frames = keys.map((key) => make(opcodes.getkq, key));
  frames.push(make(opcodes.noop, ''));
  const isLast = ({ header }: Response) => header.opcode === opcodes.noop;
  return { frame: Buffer.concat(frames), opaque, repeatable: true, isLast };
}

/** A counter's step, its first value and that one's expiry: 64 bits each and 32. */
export function counterExtras(amount: number, initial: number, expires: number): Buffer {
  const extras = Buffer.alloc(20);
  extras.writeBigUInt64BE(checkCount('amount', amount), 0);
  extras.writeBigUInt64BE(checkCount('initial', initial), 8);
  extras.writeUInt32BE(expires, 16);
  return extras;
}

/** Of an answer of one message. */
export function only(answer: Answer): Response {
  return answer[0] as Response;
}

/**
 * True for success, false for one of the statuses in `no`.
 * @throws ServerError for the others
 */
export function succeeded(name: string, message: Response, ...no: number[]): boolean {
  const { status } = message.header;
  if (status === 0) return true;
  if (no.includes(status)) return false;
  throw new ServerError(name, status);
}

/** A value on its own: not one that keeps the whole piece of the network that it came in. */
export function detached(value: Buffer): Buffer {
  return value.buffer.byteLength > 2 * value.length ? Buffer.from(value) : value;
}

/** As {@link checkKey}, for all, each once. */
export function distinctKeys(keys: Iterable<string>): Set<string> {
  const all = new Set(keys);
  for (const key of all) checkKey(key);
  return all;
}
