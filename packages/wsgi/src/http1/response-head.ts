/** Response heads: checked when they are given, framed when it is known what follows (RFC 9112, 6). */
import { STATUS_CODES } from 'node:http';
import { ResponseError } from '../errors.js';
import { dateLine } from './date.js';

/** Name and value, as latin1 text. */
export type Header = readonly [name: string, value: string];

/** How the end of the body is told: there is none, by its length, by a last chunk, by closing. */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

const statusForm = /^([2-5]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/;
const nameForm = /^[\w!#$%&'*+\-.^`|~]+$/;
const forbiddenInValue = /[^\t\x20-\x7e\x80-\xff]/;

type Kind = 'plain' | 'length' | 'connection' | 'date' | 'hop';

/** These belong to the connection, which is the server's (PEP 3333, "Other HTTP Features"). */
const hops = ['transfer-encoding', 'keep-alive', 'te', 'trailer', 'upgrade', 'proxy-connection'];

function kindOf(name: string): Kind {
  const lower = name.toLowerCase();
  if (lower === 'content-length') return 'length';
  if (lower === 'connection' || lower === 'date') return lower;
  return hops.includes(lower) ? 'hop' : 'plain';
}

/** What applications say again and again: bounded, because names may come from users. */
class Memo<T> {
  readonly #made = new Map<string, T>();
  readonly #make: (key: string) => T;

  constructor(make: (key: string) => T) {
    this.#make = make;
  }

  get(key: string): T {
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const made = this.#make(key);
    if (this.#made.size < 500) this.#made.set(key, made);
    return made;
  }
}

const statusLines = new Memo((status) => {
  const match = statusForm.exec(status);
  if (!match) throw new ResponseError('ERR_WSGI_STATUS', status);
  return { code: Number(match[1]), line: `HTTP/1.1 ${status}\r\n` };
});

const kinds = new Memo((name) => {
  if (!nameForm.test(name)) throw new ResponseError('ERR_WSGI_HEADER_NAME', name);
  return kindOf(name);
});

/** `404 Not Found` for 404. */
export function statusText(code: number): string {
  return `${code} ${STATUS_CODES[code] ?? 'Unknown'}`;
}

export class ResponseHead {
  readonly code: number;
  /** Content-Length as the application gave it. */
  length: number | undefined = undefined;
  /** The application asks to close the connection after the response. */
  close = false;
  readonly #line: string;
  #fields = '';
  #dated = false;
  #upgrade = false;

  /** @throws ResponseError for a status or header that cannot be sent */
  constructor(status: string, headers: Iterable<Header>) {
    const { code, line } = statusLines.get(status);
    this.code = code;
    this.#line = line;
    for (const [name, value] of headers) this.#add(name, value);
  }

  #add(name: string, value: string): void {
    const kind = kinds.get(name);
    if (typeof value !== 'string' || forbiddenInValue.test(value))
      throw new ResponseError('ERR_WSGI_HEADER_VALUE', name);
    if (kind === 'length') {
      if (this.length !== undefined || !/^\d{1,15}$/.test(value))
        throw new ResponseError('ERR_WSGI_CONTENT_LENGTH', value);
      this.length = Number(value);
      return;
    }
    if (kind === 'connection') {
      this.close ||= value.toLowerCase() === 'close';
      return;
    }
    if (kind === 'hop') {
      // A 426 has to name what it wants (RFC 9110, 15.5.22), and only the application knows.
      this.#upgrade = this.code === 426 && name.toLowerCase() === 'upgrade';
      if (!this.#upgrade) throw new ResponseError('ERR_WSGI_HOP', name);
    }
    if (kind === 'date') this.#dated = true;
    this.#fields += `${name}: ${value}\r\n`;
  }

  /** No body follows, whatever the application gives (RFC 9112, 6.3). */
  bodiless(method: string): boolean {
    return method === 'HEAD' || this.code === 204 || this.code === 304;
  }

  /**
   * How the body is framed. `known` is its length, if the application has not said and we can see.
   * HTTP/1.0 knows no chunks.
   */
  framing(method: string, minor: number, known: number | undefined): Framing {
    if (this.bodiless(method)) {
      // An empty body says nothing about the length that GET would have.
      if (method === 'HEAD' && known) this.length ??= known;
      return 'none';
    }
    this.length ??= known;
    if (this.length !== undefined) return 'length';
    return minor === 1 ? 'chunked' : 'close';
  }

  /**
   * The head as it goes out, its empty line included. `keepAlive`: what to say of a connection that stays
   * open; undefined for one that does not.
   */
  serialise(framing: Framing, minor: number, keepAlive: string | undefined): string {
    let text = this.#line + this.#fields;
    if (!this.#dated) text += dateLine();
    if (framing === 'chunked') text += 'Transfer-Encoding: chunked\r\n';
    else if (this.length !== undefined && this.code !== 204)
      text += `Content-Length: ${this.length}\r\n`;
    if (this.#upgrade) text += 'Connection: upgrade\r\n';
    if (keepAlive === undefined) return `${text}Connection: close\r\n\r\n`;
    if (minor === 0) text += 'Connection: keep-alive\r\n';
    return `${text}${keepAlive}\r\n`;
  }
}
