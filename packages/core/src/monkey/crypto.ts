/**
 * crypto: what computes for long. Keys and hashes that are made bit by bit (`createHash`, `createSign`)
 * have no asynchronous form, and the few random bytes of an id cost less than a switch.
 */
import crypto from 'node:crypto';
import { firstOf, refusal, replaceParking, type ThroughOptions, through } from './parking.js';
import type { NodeFunction } from './registry.js';

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

function fillArguments(args: unknown[]): unknown[] {
  const [buffer, offset, size] = args as [ArrayBufferView | ArrayBuffer, unknown, unknown];
  const bytes = typeof size === 'number' ? size : (buffer?.byteLength ?? 0) - Number(offset ?? 0);
  if (!(bytes >= manyBytes)) throw refusal;
  return firstOf(3)(args);
}

function bytesArguments(args: unknown[]): unknown[] {
  if (!(Number(args[0]) >= manyBytes)) throw refusal;
  return withoutCallback(1)(args);
}

function park(name: string, twin: NodeFunction | undefined, options: ThroughOptions): void {
  // What OpenSSL has said of an error may be lost on the way between threads.
  const asking = { ...options, error: () => refusal };
  if (twin) replaceParking('crypto', name, (original) => through(original, twin, asking));
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
  park('randomFillSync', functions.randomFill, { args: fillArguments });
  park('randomBytes', functions.randomBytes, { args: bytesArguments });
}
