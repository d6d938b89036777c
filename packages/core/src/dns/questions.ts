/** Kinds of records: the functions of node:dns that ask for them, and their numbers on the wire. */
import { isIPv4 } from 'node:net';
import { addressBytes } from './address-order.js';
import type { RecordType } from './backend.js';
import type { Method } from './channel.js';

/** RFC 1035, section 3.2.2, and IANA's list of resource record types. */
const numbers: Record<RecordType, number> = {
  A: 1,
  AAAA: 28,
  ANY: 255,
  CAA: 257,
  CNAME: 5,
  MX: 15,
  NAPTR: 35,
  NS: 2,
  PTR: 12,
  SOA: 6,
  SRV: 33,
  TLSA: 52,
  TXT: 16,
};

const special: Partial<Record<RecordType, Method>> = { A: 'resolve4', AAAA: 'resolve6' };

export function methodOf(type: RecordType): Method {
  return special[type] ?? (`resolve${type[0]}${type.slice(1).toLowerCase()}` as Method);
}

const byMethod = new Map<Method, number>(
  (Object.keys(numbers) as RecordType[]).map((type) => [methodOf(type), numbers[type]]),
);

/** The name that says who an address belongs to (RFC 1035, section 3.5, and RFC 3596, section 2.5). */
function reverseName(address: string): string {
  if (isIPv4(address)) return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
  const digits = addressBytes(address).map((byte) => byte.toString(16).padStart(2, '0'));
  return `${[...digits.join('')].reverse().join('.')}.ip6.arpa`;
}

/** What `method` asks for, as it stands in a packet. */
export function questionOf(method: Method, name: string): [name: string, type: number] {
  if (method === 'reverse') return [reverseName(name), numbers.PTR];
  return [name, byMethod.get(method) ?? numbers.ANY];
}
