/** The gateway interface: PEP 3333, with Node's types. */
import type { Socket } from '@tendril/core/socket';
import type { Header } from '../http1/response-head.js';
import type { FileWrapper } from './file-wrapper.js';
import type { Input } from './input.js';

/** What an application gets to know about a request. Header lines are `HTTP_*`, as CGI has them. */
export interface Environ {
  REQUEST_METHOD: string;
  /** Always empty: this server mounts applications at the root. */
  SCRIPT_NAME: string;
  /** Percent-decoded bytes, as latin1 text (PEP 3333, "Unicode Issues"). */
  PATH_INFO: string;
  /** What follows the first `?`, as it was sent. */
  QUERY_STRING: string;
  /** The target as it was sent. */
  REQUEST_URI: string;
  CONTENT_TYPE?: string;
  CONTENT_LENGTH?: string;
  SERVER_NAME: string;
  SERVER_PORT: string;
  SERVER_PROTOCOL: string;
  SERVER_SOFTWARE: string;
  GATEWAY_INTERFACE: string;
  REMOTE_ADDR: string;
  REMOTE_PORT: string;
  'wsgi.version': readonly [1, 0];
  'wsgi.url_scheme': 'http' | 'https';
  'wsgi.input': Input;
  'wsgi.errors': ErrorStream;
  'wsgi.multithread': boolean;
  'wsgi.multiprocess': boolean;
  'wsgi.run_once': boolean;
  /** The input ends where the body ends, also without a Content-Length. */
  'wsgi.input_terminated': boolean;
  'wsgi.file_wrapper': typeof FileWrapper;
  /** Takes the connection over: see {@link Upgrade}. Only there when the client asks for an upgrade. */
  'tendril.upgrade'?: Upgrade;
  [key: string]: unknown;
}

/**
 * Takes the connection out of the server's hands. Nothing has been sent: the caller answers 101 itself.
 * The connection is closed when the application returns.
 */
export type Upgrade = () => Socket;

/** Where `wsgi.errors` goes. */
export interface ErrorStream {
  write(text: string): void;
  writelines(lines: Iterable<string>): void;
  flush(): void;
}

/** Sends a piece of the body at once (for code that cannot return an iterable). */
export type Write = (data: string | Uint8Array) => void;

/**
 * Says how the response begins. A second call needs `error`, the reason for another response: it
 * replaces the first, or throws `error` if that has gone out.
 */
export type StartResponse = (status: string, headers: Iterable<Header>, error?: unknown) => Write;

export type Body = Iterable<string | Uint8Array> & { close?(): void };

/** Strings of the body go out as UTF-8. */
export type Application = (environ: Environ, startResponse: StartResponse) => Body;
