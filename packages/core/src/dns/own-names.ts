/**
 * The names of this machine that no file and no server has: nss-myhostname(8), of systemd, which many
 * systems name in nsswitch.conf.
 */
import fs from 'node:fs';
import { isIP } from 'node:net';
import os from 'node:os';
import type { HostAddress } from './hosts.js';
import { isLocalhost } from './names.js';

const { readFileSync } = fs;
const { hostname, networkInterfaces } = os;

interface OwnAddress extends HostAddress {
  readonly device: string;
  readonly internal: boolean;
  readonly linkLocal: boolean;
}

const loopback: HostAddress[] = [
  { address: '::1', family: 6 },
  { address: '127.0.0.1', family: 4 },
];
/** When the machine has no other: nss-myhostname's. */
const alone: HostAddress[] = [
  { address: '::1', family: 6 },
  { address: '127.0.0.2', family: 4 },
];

/** Those of interfaces, the ones of the widest scope first. */
function ownAddresses(): OwnAddress[] {
  const all = Object.entries(networkInterfaces()).flatMap(([device, list = []]) =>
    list.map(({ address, family, internal }): OwnAddress => {
      const linkLocal = /^(?:fe[89ab].:|169\.254\.)/i.test(address);
      const scoped = linkLocal && family === 'IPv6' ? `${address}%${device}` : address;
      return { address: scoped, family: family === 'IPv6' ? 6 : 4, device, internal, linkLocal };
    }),
  );
  return [...all.filter((one) => !one.linkLocal), ...all.filter((one) => one.linkLocal)];
}

const plain = ({ address, family }: HostAddress): HostAddress => ({ address, family });

/** A default route (proc(5), /proc/net/route and ipv6_route). */
export interface Route extends HostAddress {
  readonly device: string;
  readonly metric: number;
}

/** IPv4: addresses are hexadecimal numbers in the byte order of the machine, which is little-endian here. */
export function parseRoutes(text: string): Route[] {
  return text.split('\n').flatMap((line): Route[] => {
    const [device, target, gateway, flags, , , metric, mask] = line.trim().split(/\s+/);
    if (!device || target !== '00000000' || mask !== '00000000' || !usable(flags)) return [];
    const bytes = gateway?.match(/^(..)(..)(..)(..)$/)?.slice(1) ?? [];
    const address = bytes
      .reverse()
      .map((byte) => Number.parseInt(byte, 16))
      .join('.');
    return isIP(address) === 4 ? [{ address, family: 4, device, metric: Number(metric) }] : [];
  });
}

export function parseRoutes6(text: string): Route[] {
  return text.split('\n').flatMap((line): Route[] => {
    const [target, bits, , , gateway = '', metric, , , flags, device] = line.trim().split(/\s+/);
    if (!device || !/^0{32}$/.test(target ?? '') || bits !== '00' || !usable(flags)) return [];
    const groups = gateway.match(/.{4}/g) ?? [];
    const full = groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':');
    const address = /^fe[89ab]/i.test(gateway) ? `${full}%${device}` : full;
    return [{ address, family: 6, device, metric: Number.parseInt(metric ?? '', 16) }];
  });
}

const up = 1;
const viaGateway = 2;
const usable = (flags = '') =>
  (Number.parseInt(flags, 16) & (up | viaGateway)) === (up | viaGateway);

function defaultRoutes(): Route[] {
  const read = (path: string) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return ''; // no /proc, no such protocol
    }
  };
  const all = [
    ...parseRoutes(read('/proc/net/route')),
    ...parseRoutes6(read('/proc/net/ipv6_route')),
  ];
  return all.sort((a, b) => a.metric - b.metric);
}

/**
 * The addresses of the machine's host name, `localhost` and all below, `_gateway` and `_outbound`; undefined
 * for other names, and where there is none of the family. `name` is in lower case.
 */
export function addressesOfOwnName(name: string, family: 0 | 4 | 6): HostAddress[] | undefined {
  const some = (all: HostAddress[]) => {
    const fitting = all.filter((one) => family === 0 || one.family === family).map(plain);
    return fitting.length > 0 ? fitting : undefined;
  };
  if (isLocalhost(name) || isLocalhost(name.replace(/\.localdomain$/, ''))) return some(loopback);
  if (name === '_gateway') return some(defaultRoutes());
  if (name === '_outbound') {
    const devices = new Set(defaultRoutes().map((route) => route.device));
    return some(ownAddresses().filter((one) => devices.has(one.device)));
  }
  if (name !== hostname().toLowerCase()) return undefined;
  return some(ownAddresses().filter((one) => !one.internal)) ?? some(alone);
}

/** The names of an address of this machine; undefined for those of others. */
export function namesOfOwnAddress(address: string): string[] | undefined {
  const wanted = address.toLowerCase();
  if (loopback.some((one) => one.address === wanted)) return ['localhost'];
  const own = [...ownAddresses(), ...alone].some((one) => one.address.toLowerCase() === wanted);
  return own ? [hostname()] : undefined;
}
