/** Makes `environ` from a request head. */
import type { Socket as NetSocket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { field } from '../http1/field-names.js';
import type { RequestHead } from '../http1/request-head.js';
import { type CertificateVariables, certificateVariables } from './client-certificate.js';
import { FileWrapper } from './file-wrapper.js';
import type { Input } from './input.js';
import type { Environ, ErrorStream } from './types.js';

/** What is the same for all requests of a server. */
export interface Site {
  readonly serverName: string;
  readonly serverPort: string;
  readonly software: string;
  readonly multiprocess: boolean;
  readonly errors: ErrorStream;
}

/** What is the same for all requests of a connection. */
export interface Peer {
  readonly address: string;
  readonly port: string;
  readonly encrypted: boolean;
  /** Of a client that was asked for its certificate. */
  readonly certificate: CertificateVariables | undefined;
}

/** IPv4 addresses as a listener for both families has them: RFC 4291, 2.5.5.2. */
const mapped = '::ffff:';

/** The client of a Unix socket has no name: '' and ''. */
export function peerOf(stream: NetSocket, encrypted: boolean, requestCert: boolean): Peer {
  const { remoteAddress = '', remotePort = '' } = stream;
  const isMapped = remoteAddress.startsWith(mapped) && remoteAddress.includes('.');
  return {
    address: isMapped ? remoteAddress.slice(mapped.length) : remoteAddress,
    port: String(remotePort),
    encrypted,
    certificate: encrypted && requestCert ? certificateVariables(stream as TLSSocket) : undefined,
  };
}

const version = [1, 0] as const;

/** Undoes percent encoding to bytes, as latin1. What is no valid escape stays as it is. */
export function unquote(path: string): string {
  if (!path.includes('%')) return path;
  return path.replace(/%([\dA-Fa-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

export function makeEnviron(site: Site, peer: Peer, head: RequestHead, input: Input): Environ {
  const { path } = head;
  const query = path.indexOf('?');
  const environ: Environ = {
    REQUEST_METHOD: head.method,
    SCRIPT_NAME: '',
    PATH_INFO: unquote(query < 0 ? path : path.slice(0, query)),
    QUERY_STRING: query < 0 ? '' : path.slice(query + 1),
    REQUEST_URI: head.target,
    SERVER_NAME: site.serverName,
    SERVER_PORT: site.serverPort,
    SERVER_PROTOCOL: head.minor === 1 ? 'HTTP/1.1' : 'HTTP/1.0',
    SERVER_SOFTWARE: site.software,
    GATEWAY_INTERFACE: 'CGI/1.1',
    REMOTE_ADDR: peer.address,
    REMOTE_PORT: peer.port,
    'wsgi.version': version,
    'wsgi.url_scheme': peer.encrypted ? 'https' : 'http',
    'wsgi.input': input,
    'wsgi.errors': site.errors,
    'wsgi.multithread': false,
    'wsgi.multiprocess': site.multiprocess,
    'wsgi.run_once': false,
    'wsgi.input_terminated': true,
    'wsgi.file_wrapper': FileWrapper,
  };
  if (peer.certificate) Object.assign(environ, peer.certificate);
  const { names, values } = head;
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as (typeof names)[number];
    const { key } = name;
    if (key === '') continue;
    const before = environ[key];
    const value = values[i] as string;
    environ[key] =
      before === undefined
        ? value
        : name.field === field.cookie
          ? `${before}; ${value}`
          : `${before},${value}`;
  }
  if (head.host !== undefined && environ.HTTP_HOST !== head.host) environ.HTTP_HOST = head.host;
  return environ;
}
