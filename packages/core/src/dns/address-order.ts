/** Which address to try first (RFC 6724). */

import { BlockList, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { HostAddress } from './hosts.js';

/** Section 2.1: prefix, precedence, label. IPv4 is looked up as ::ffff:0:0/96. */
const policies: [prefix: string, bits: number, precedence: number, label: number][] = [
  ['::1', 128, 50, 0],
  ['::ffff:0:0', 96, 35, 4],
  ['2002::', 16, 30, 2],
  ['2001::', 32, 5, 5],
  ['fc00::', 7, 3, 13],
  ['::', 96, 1, 3],
  ['fec0::', 10, 1, 11],
  ['3ffe::', 16, 1, 12],
  ['::', 0, 40, 1],
];
const bySpecificity = [...policies].sort((a, b) => b[1] - a[1]);

/** The 16 bytes of an address; IPv4 as an IPv4-mapped one. */
export function addressBytes(address: string): number[] {
  const plain = address.split('%', 1)[0] ?? '';
  if (!plain.includes(':')) {
    const v4 = plain.split('.').map(Number);
    return [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, ...v4];
  }
  // An IPv4 tail counts for two groups.
  const text = plain.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, a, b, c, d) =>
    [(Number(a) << 8) | Number(b), (Number(c) << 8) | Number(d)]
      .map((group) => group.toString(16))
      .join(':'),
  );
  const [head = '', tail] = text.split('::');
  const groups = (part: string) =>
    part ? part.split(':').map((one) => Number.parseInt(one, 16)) : [];
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const middle = new Array(8 - front.length - back.length).fill(0);
  return [...front, ...middle, ...back].flatMap((group) => [group >> 8, group & 255]);
}

function commonBits(a: number[], b: number[]): number {
  for (let i = 0; i < 16; i++) {
    const difference = (a[i] as number) ^ (b[i] as number);
    if (difference !== 0) return i * 8 + Math.clz32(difference) - 24;
  }
  return 128;
}

const prefixes = new Map(bySpecificity.map(([prefix]) => [prefix, addressBytes(prefix)]));

function policyOf(bytes: number[]): { precedence: number; label: number } {
  for (const [prefix, bits, precedence, label] of bySpecificity)
    if (commonBits(bytes, prefixes.get(prefix) as number[]) >= bits) return { precedence, label };
  return { precedence: 40, label: 1 };
}

/** Section 3.1: 2 link-local, 5 site-local, 14 global. */
function scopeOf(bytes: number[]): number {
  const [first = 0, second = 0] = bytes;
  if (first === 255) return second & 15;
  if (commonBits(bytes, prefixes.get('::ffff:0:0') as number[]) >= 96) {
    const [, , , , , , , , , , , , a, b] = bytes;
    return a === 127 || (a === 169 && b === 254) ? 2 : 14;
  }
  if (bytes.slice(0, 15).every((byte) => byte === 0) && bytes[15] === 1) return 2;
  if (first === 254 && (second & 192) === 128) return 2;
  if (first === 254 && (second & 192) === 192) return 5;
  return 14;
}

export interface LocalAddress {
  readonly address: string;
  readonly internal: boolean;
}

let known: LocalAddress[] = [];

/** The machine's own addresses; those that were known last when there is no descriptor to ask with. */
export function localAddresses(): LocalAddress[] {
  try {
    known = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  } catch {
    // EMFILE: the order of addresses is not worth a failure
  }
  return known;
}

/** Loopback can only be reached from loopback, and nothing else from there. */
function sourceFor(destination: HostAddress, bytes: number[], local: readonly LocalAddress[]) {
  const loopback = isLoopback(destination);
  const usable = local.filter(
    ({ address, internal }) =>
      isIPv6(address.split('%', 1)[0] ?? '') === (destination.family === 6) &&
      internal === loopback,
  );
  let best: number[] | undefined;
  for (const { address } of usable) {
    const source = addressBytes(address);
    if (!best || commonBits(source, bytes) > commonBits(best, bytes)) best = source;
  }
  return best;
}

const loopbacks = new BlockList();
loopbacks.addSubnet('127.0.0.0', 8, 'ipv4');
loopbacks.addAddress('::1', 'ipv6');

/** 127.0.0.0/8 and ::1. */
export function isLoopback({ address, family }: HostAddress): boolean {
  return loopbacks.check(address.split('%', 1)[0] ?? '', family === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Sorts by the destination rules of section 6 that can be told from addresses: reachable ones first
 * (1), matching scope (2), matching label (5), higher precedence (6), smaller scope (8), longest common
 * prefix among IPv6 (9); otherwise the order stays (10).
 */
export function orderAddresses(
  addresses: readonly HostAddress[],
  local: readonly LocalAddress[],
): HostAddress[] {
  if (addresses.length < 2) return [...addresses];
  const judged = addresses.map((destination) => {
    const bytes = addressBytes(destination.address);
    const source = sourceFor(destination, bytes, local);
    const policy = policyOf(bytes);
    const scope = scopeOf(bytes);
    const keys = [
      source ? 0 : 1,
      source && scopeOf(source) === scope ? 0 : 1,
      source && policyOf(source).label === policy.label ? 0 : 1,
      -policy.precedence,
      scope,
      source && destination.family === 6 ? -commonBits(source, bytes) : 0,
    ];
    return { destination, keys };
  });
  judged.sort((a, b) => {
    for (const [i, key] of a.keys.entries()) {
      // Common prefixes of different families say nothing.
      if (i === 5 && a.destination.family !== b.destination.family) break;
      if (key !== b.keys[i]) return key - (b.keys[i] as number);
    }
    return 0;
  });
  return judged.map(({ destination }) => destination);
}
