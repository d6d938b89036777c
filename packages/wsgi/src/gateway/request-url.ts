/**
 * The URL of a request, for readers that go by the URL where others go by `environ`. What the two would
 * read differently has no URL: a check of the one must hold for the other.
 */
import { isIPv6 } from 'node:net';
import { unquote } from './environ.js';
import type { Environ } from './types.js';

/** Paths that every reader of URLs leaves as they are. */
const plainPath = /^\/[\w\-.~!$&'()*+,;=:@/]*$/;

/** Names that no reader of URLs takes for a number. */
const plainHost = /^(?:[\w-]+\.)*[a-z][\w-]*(?::\d*)?$/i;

/** Escapes what is not printable, and what ends a path or stands for a slash to some. */
function escaped(path: string): string {
  return path.replace(
    /[^\x21-\x7e]|[%?#\\]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** The path as it was sent, unless somebody has put another in its place since. */
function pathOf(environ: Environ, sent: string): string {
  const said = `${environ.SCRIPT_NAME}${environ.PATH_INFO}`;
  if (unquote(sent) === said || said === '*') return sent;
  return escaped(said);
}

function hostOf({ HTTP_HOST: host, SERVER_NAME: name, SERVER_PORT: port }: Environ): string {
  if (typeof host === 'string' && host !== '') return host;
  // A Unix socket has no host, and its name is a path.
  if (port === '') return 'localhost';
  return `${isIPv6(name) ? `[${name}]` : name}:${port}`;
}

/** The path and query of a target, whatever its form. */
function sentPath(target: string): string {
  if (target.startsWith('/')) return target;
  if (target === '*') return '';
  const start = target.indexOf('://') + 3;
  const rest = target.slice(start).search(/[/?]/);
  if (rest < 0) return '';
  const path = target.slice(start + rest);
  return path.startsWith('/') ? path : `/${path}`;
}

/** Undefined if there is no URL whose path, to all readers, is what `environ` says. */
export function urlOf(environ: Environ): string | undefined {
  const sent = sentPath(environ.REQUEST_URI);
  const query = sent.indexOf('?');
  const path = pathOf(environ, query < 0 ? sent : sent.slice(0, query)).replaceAll('\\', '%5C');
  const search = environ.QUERY_STRING === '' ? '' : `?${environ.QUERY_STRING}`;
  const host = hostOf(environ);
  const text = `${environ['wsgi.url_scheme']}://${host}${path}${search}`;
  if (!URL.canParse(text)) return undefined;
  // RFC 9112, 3.2.4: the target of `OPTIONS *` is the server, a URL without a path.
  const isPlain = path === '' || (plainPath.test(path) && !path.includes('/.'));
  if (isPlain && plainHost.test(host)) return text;
  const { hostname, pathname } = new URL(text);
  // `127.1` is 127.0.0.1 to some, and a name to others. An address in IPv6 has many forms.
  const isSame = host.startsWith('[') || hostname === host.toLowerCase().replace(/:\d*$/, '');
  return isSame && (path === '' || unquote(pathname) === unquote(path)) ? text : undefined;
}
