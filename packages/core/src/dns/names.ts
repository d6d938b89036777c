/** Names and addresses as users write them. */
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import type { HostAddress } from './hosts.js';

const longestName = 253;
const longestLabel = 63;

/**
 * The name as it goes to a server: lower case, IDNA (RFC 5891), without a final dot; undefined if it is
 * not one: too long, empty labels, blanks, control characters (RFC 1035, section 2.3.4).
 */
export function normalizeName(name: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  if (/[\x00-\x20\x7f]/.test(name)) return undefined;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: everything beyond ASCII
  const ascii = /[^\x00-\x7f]/.test(name) ? domainToASCII(name) : name;
  const plain = ascii.replace(/\.$/, '').toLowerCase();
  if (plain === '' || plain.length > longestName) return undefined;
  if (/[^\w.\-*/+~]/.test(plain)) return undefined;
  const labels = plain.split('.');
  return labels.every((label) => label !== '' && label.length <= longestLabel) ? plain : undefined;
}

/** `localhost` and all names below it (RFC 6761, section 6.3). */
export function isLocalhost(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost');
}

/** IPv4 in the forms that inet_aton(3) takes: 127.1, 0x7f.1, 017700000001, 2130706433. */
export function parseLegacyIPv4(text: string): string | undefined {
  const parts = text.split('.');
  if (parts.length > 4) return undefined;
  const numbers: number[] = [];
  for (const part of parts) {
    if (/^0x[0-9a-f]{1,8}$/i.test(part)) numbers.push(Number(part));
    else if (/^0[0-7]{0,11}$/.test(part)) numbers.push(Number.parseInt(part, 8));
    else if (/^[1-9]\d{0,9}$/.test(part)) numbers.push(Number(part));
    else return undefined;
  }
  const last = numbers.pop() as number;
  if (numbers.some((number) => number > 255) || last >= 256 ** (4 - numbers.length))
    return undefined;
  const value = numbers.reduce((sum, number, i) => sum + number * 256 ** (3 - i), last);
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}

/** The address that `host` is, if it is one and no name. IPv6 may have a scope id. */
export function numericHost(host: string): HostAddress | undefined {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  const family = isIP(bare);
  if (family === 4 || family === 6) return { address: bare, family };
  const legacy = /^[0-9]/.test(host) ? parseLegacyIPv4(host) : undefined;
  return legacy === undefined ? undefined : { address: legacy, family: 4 };
}

/**
 * The names to ask for, in order (resolv.conf(5), `search` and `ndots`): as it is first when it has
 * enough dots, last otherwise. A final dot means: as it is, only.
 */
export function candidates(name: string, search: readonly string[], ndots: number): string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const dots = name.split('.').length - 1;
  const within = search
    .map((domain) => `${name}.${domain}`)
    .filter((one) => one.length <= longestName);
  return dots >= ndots ? [name, ...within] : [...within, name];
}
