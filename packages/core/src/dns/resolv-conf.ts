/** resolv.conf, text in and structure out (resolv.conf(5)). */
import { isIP } from 'node:net';

export interface ResolvConf {
  /** Addresses, at most three; the local one when none is given. */
  readonly nameservers: readonly string[];
  /** Domains to try names in, at most six. */
  readonly search: readonly string[];
  /** A name with so many dots is tried as it is first. */
  readonly ndots: number;
  /** Milliseconds for one query to one server. */
  readonly timeout: number;
  /** Rounds through all servers. */
  readonly attempts: number;
  /** Begin with another server each time. */
  readonly rotate: boolean;
  /** Do not ask for AAAA (no-aaaa). */
  readonly noAaaa: boolean;
}

/** The part of the environment that overrides the file. */
export interface ResolvEnvironment {
  LOCALDOMAIN?: string | undefined;
  RES_OPTIONS?: string | undefined;
}

const maxNameservers = 3;
const maxSearch = 6;
/** Upper limits that resolv.conf(5) names: larger values mean these. */
const limits = { ndots: 15, timeout: 30, attempts: 5 };

type Mutable = { -readonly [K in keyof ResolvConf]: ResolvConf[K] };

function applyOptions(conf: Mutable, words: string[]): void {
  for (const word of words) {
    const [name, value] = word.split(':', 2);
    const number = /^\d{1,9}$/.test(value ?? '') ? Number(value) : undefined;
    if (name === 'rotate') conf.rotate = true;
    else if (name === 'no-aaaa') conf.noAaaa = true;
    else if (number === undefined) continue;
    else if (name === 'ndots') conf.ndots = Math.min(number, limits.ndots);
    else if (name === 'timeout')
      conf.timeout = 1000 * Math.min(Math.max(number, 1), limits.timeout);
    else if (name === 'attempts') conf.attempts = Math.min(Math.max(number, 1), limits.attempts);
  }
}

const domain = (name: string) => name.replace(/\.$/, '').toLowerCase();

/**
 * The last of several `search` and `domain` lines counts; LOCALDOMAIN replaces the search list, and
 * RES_OPTIONS is applied after the options of the file. Comments begin with `#` or `;`. What cannot be
 * understood is passed over.
 */
export function parseResolvConf(text: string, environment: ResolvEnvironment = {}): ResolvConf {
  const nameservers: string[] = [];
  const conf: Mutable = {
    nameservers,
    search: [],
    ndots: 1,
    timeout: 5000,
    attempts: 2,
    rotate: false,
    noAaaa: false,
  };
  for (const line of text.split('\n')) {
    if (/^\s*[#;]/.test(line)) continue;
    const [keyword, ...words] = line.split(/\s+/).filter(Boolean);
    const [first] = words;
    if (!first) continue;
    if (keyword === 'nameserver') {
      if (isIP(first) && nameservers.length < maxNameservers) nameservers.push(first);
    } else if (keyword === 'search') conf.search = words.map(domain);
    else if (keyword === 'domain') conf.search = [domain(first)];
    else if (keyword === 'options') applyOptions(conf, words);
  }
  const { LOCALDOMAIN, RES_OPTIONS } = environment;
  if (LOCALDOMAIN !== undefined) conf.search = LOCALDOMAIN.split(/\s+/).filter(Boolean).map(domain);
  if (RES_OPTIONS) applyOptions(conf, RES_OPTIONS.split(/\s+/));
  conf.search = conf.search.filter(Boolean).slice(0, maxSearch);
  if (nameservers.length === 0) nameservers.push('127.0.0.1');
  return conf;
}
