/** /etc/hosts, text in and structure out (hosts(5)). */
import { isIP } from 'node:net';

export interface HostAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

export interface HostEntry {
  /** The first name of the line. */
  readonly name: string;
  readonly aliases: readonly string[];
}

export interface Hosts {
  /** Addresses of a name in lower case, in the order of the file. */
  readonly byName: ReadonlyMap<string, readonly HostAddress[]>;
  /** The names of an address, from the first line that has it. */
  readonly byAddress: ReadonlyMap<string, HostEntry>;
}

/**
 * Names are compared in lower case, a name may stand on several lines, a `#` begins a comment. Lines
 * that do not begin with an address are passed over, as glibc does.
 */
export function parseHosts(text: string): Hosts {
  const byName = new Map<string, HostAddress[]>();
  const byAddress = new Map<string, HostEntry>();
  for (const line of text.split('\n')) {
    const [address, name, ...aliases] = (line.split('#', 1)[0] ?? '').split(/\s+/).filter(Boolean);
    if (!address || !name) continue;
    const family = isIP(address);
    if (family !== 4 && family !== 6) continue;
    for (const one of [name, ...aliases]) {
      const key = one.toLowerCase();
      const known = byName.get(key);
      if (!known) byName.set(key, [{ address, family }]);
      else if (!known.some((other) => other.address === address)) known.push({ address, family });
    }
    const key = address.toLowerCase();
    if (!byAddress.has(key)) byAddress.set(key, { name, aliases });
  }
  return { byName, byAddress };
}
