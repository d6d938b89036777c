/**
 * crypto: what computes for long. Keys and hashes that are made bit by bit (`createHash`, `createSign`)
 * have no asynchronous form, and the few random bytes of an id cost less than a switch.
 */
import crypto from 'node:crypto';
import {
  firstOf,
  refusal,
  replaceInGreenlets,
  replaceParking,
  type ThroughOptions,
  through,
} from './parking.js';
import { mayPark } from './reentry/index.js';
import type { NodeFunction } from './registry.js';

const { randomBytes } = crypto;

/** Bytes: to make fewer at random takes less time than to park. */
const manyBytes = 65_536;

/** Where the synchronous form has a name of its own: how many arguments it takes. */
const named: Record<string, number> = {
  argon2: 2,
  checkPrime: 2,
  generateKey: 2,
  generatePrime: 2,
  hkdf: 5,
  pbkdf2: 5,
  scrypt: 4,
};

/** Synchronous without a callback: how many arguments there are before that. */
const byCallback: Record<string, number> = {
  decapsulate: 2,
  diffieHellman: 1,
  encapsulate: 1,
  sign: 3,
  verify: 4,
};

const functions = crypto as unknown as Record<string, NodeFunction | undefined>;

/** Those of a call without a callback. */
function withoutCallback(count: number): (args: unknown[]) => unknown[] {
  const taken = firstOf(count);
  return (args) => {
    if (args[count] !== undefined) throw refusal;
    return taken(args);
  };
}

/** The part of a buffer that is to be filled; undefined for what the original has something to say about. */
function partOf([buffer, offset, size]: unknown[]): Uint8Array | undefined {
  const view = ArrayBuffer.isView(buffer);
  if (!view && !(buffer instanceof ArrayBuffer)) return undefined;
  const unit = view ? ((buffer as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1) : 1;
  const from = Number(offset ?? 0) * unit;
  const most = 2 ** 31 - 1; // of randomBytes
  const length = size === undefined ? buffer.byteLength - from : Number(size) * unit;
  if (!(from >= 0 && length >= manyBytes && length <= most && from + length <= buffer.byteLength))
    return undefined;
  return new Uint8Array(
    view ? buffer.buffer : buffer,
    (view ? buffer.byteOffset : 0) + from,
    length,
  );
}

/** What OpenSSL has said of an error may be lost on the way between threads. */
const asking: ThroughOptions = { error: () => refusal };

/** Fills memory of its own: others may use the caller's meanwhile. */
function parkedFill(original: NodeFunction): NodeFunction {
  const made = through(original, randomBytes as unknown as NodeFunction, {
    args: firstOf(1),
  });
  return function (this: unknown, ...args: unknown[]): unknown {
    const part = partOf(args);
    if (!part || !mayPark()) return Reflect.apply(original, this, args);
    part.set(made(part.byteLength) as Buffer);
    return args[0];
  };
}

function parkedBytes(original: NodeFunction): NodeFunction {
  const parked = through(original, original, { ...asking, args: withoutCallback(1) });
  return function (this: unknown, ...args: unknown[]): unknown {
    const parks = Number(args[0]) >= manyBytes && mayPark();
    return Reflect.apply(parks ? parked : original, this, args);
  };
}

function park(name: string, twin: NodeFunction | undefined, options: ThroughOptions): void {
  if (twin)
    replaceParking('crypto', name, (original) =>
      through(original, twin, { ...asking, ...options }),
    );
}

export function installCrypto(): void {
  for (const [name, count] of Object.entries(named))
    park(`${name}Sync`, functions[name], { args: firstOf(count) });
  for (const [name, count] of Object.entries(byCallback)) {
    const original = functions[name];
    // An older Node's diffieHellman takes no callback.
    if (original && original.length === count + 1)
      park(name, original, { args: withoutCallback(count) });
  }
  park('generateKeyPairSync', functions.generateKeyPair, {
    args: firstOf(2),
    result: ([publicKey, privateKey]) => ({ publicKey, privateKey }),
  });
  replaceInGreenlets('crypto', 'randomFillSync', parkedFill);
  replaceInGreenlets('crypto', 'randomBytes', parkedBytes);
}
