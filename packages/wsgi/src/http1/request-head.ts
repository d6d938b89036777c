/** What a request head says: target, fields, framing and persistence, checked against RFC 9110 and 9112. */
import { isIPv6 } from 'node:net';
import { type FieldName, field, fieldName } from './field-names.js';
import type { HeadScanner } from './head-scanner.js';
import type { Limits } from './limits.js';
import { RequestError } from './request-error.js';

export interface RequestHead {
  readonly method: string;
  /** As it was sent. */
  readonly target: string;
  /** The path and query of the target; `*` for `OPTIONS *`. */
  readonly path: string;
  /** The scheme of an absolute target. */
  readonly scheme: 'http' | 'https' | undefined;
  /** The digit after `HTTP/1.`. */
  readonly minor: number;
  readonly names: readonly FieldName[];
  /** Without white space around them, as latin1; one for each name. */
  readonly values: readonly string[];
  /** The authority that the request is for: that of an absolute target, or the Host header. */
  readonly host: string | undefined;
  /** Bytes of the body; undefined when it comes in chunks. */
  readonly contentLength: number | undefined;
  /** The connection can stay open after the response. */
  readonly keepAlive: boolean;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectContinue: boolean;
  /** The value of Upgrade, if Connection names it; undefined otherwise. */
  readonly upgrade: string | undefined;
}

/**
 * `uri-host [ ":" port ]` of RFC 3986, 3.2.2. Without percent encoding, which no name has and readers
 * undo or not. Empty: the target has no authority (RFC 9112, 3.2).
 */
const hostForm = /^(?:[\w.~!$&'()*+,;=-]*|\[([\dA-Fa-f:.]+)\])(?::(\d{0,5}))?$/;
const absoluteForm = /^https?:\/\/([^/?]+)([/?].*)?$/i;
// No sign, no leading zero, no list, and exactly representable (RFC 9110, 8.6).
const lengthForm = /^(?:0|[1-9]\d{0,15})$/;

const methods = new Map<string, string>(
  ['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH'].map((each) => [each, each]),
);

// Clients say the same again and again.
let lastHost = '';

function refuseHost(): never {
  throw new RequestError('ERR_HTTP_HOST');
}

function checkHost(host: string): string {
  if (host === lastHost) return host;
  const [, literal, port] = hostForm.exec(host) ?? refuseHost();
  if (Number(port ?? 0) > 65_535 || (literal !== undefined && !isIPv6(literal))) refuseHost();
  lastHost = host;
  return host;
}

/** The length of a body. @throws RequestError */
function lengthOf(text: string, limits: Limits): number {
  const length = lengthForm.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(length)) throw new RequestError('ERR_HTTP_CONTENT_LENGTH');
  if (length > limits.maxBodySize) throw new RequestError('ERR_HTTP_BODY_SIZE');
  return length;
}

/** `chunked`, alone, is the one coding that is taken (RFC 9112, 6.1 and 7). @throws RequestError */
function checkCoding(text: string, minor: number): void {
  if (minor === 0) throw new RequestError('ERR_HTTP_CODING_OLD');
  if (text.length === 7 && text.toLowerCase() === 'chunked') return;
  const codings = text.split(',').map((each) => each.trim().toLowerCase());
  if (codings.some((each) => each === '') || codings.slice(0, -1).includes('chunked'))
    throw new RequestError('ERR_HTTP_CODING');
  throw new RequestError('ERR_HTTP_CODING_UNKNOWN');
}

// A tab is white space like any other (RFC 9110, 5.6.3), but not to every proxy: what one takes for
// part of the value, and another for none of it, is how requests are smuggled.
function checkPadding(kind: number, text: string, nameEnd: number): void {
  const line = text.slice(nameEnd, text.indexOf('\r', nameEnd));
  if (line.includes('\t'))
    throw new RequestError(
      kind === field.contentLength ? 'ERR_HTTP_CONTENT_LENGTH' : 'ERR_HTTP_CODING',
    );
}

/** A path from a target in one of the forms of RFC 9112, 3.2, with its authority if it has one. */
function readTarget(
  method: string,
  target: string,
): { path: string; authority?: string; scheme?: 'http' | 'https' } {
  if (target.charCodeAt(0) === 0x2f) return { path: target };
  if (target === '*' && method === 'OPTIONS') return { path: target };
  const absolute = absoluteForm.exec(target);
  if (!absolute) throw new RequestError('ERR_HTTP_TARGET');
  const rest = absolute[2] ?? '';
  const path = rest.startsWith('/') ? rest : method === 'OPTIONS' && !rest ? '*' : `/${rest}`;
  const scheme = target.charCodeAt(4) === 0x3a ? 'http' : 'https';
  return { path, authority: absolute[1] as string, scheme };
}

/** Collects what the fields say while they are read, one after the other. */
class Meaning {
  host: string | undefined = undefined;
  length: string | undefined = undefined;
  coding: string | undefined = undefined;
  connection: string | undefined = undefined;
  expect: string | undefined = undefined;
  upgrade: string | undefined = undefined;

  take(kind: number, value: string): void {
    if (kind === field.host) {
      if (this.host !== undefined) throw new RequestError('ERR_HTTP_HOST');
      this.host = checkHost(value);
    } else if (kind === field.connection) {
      this.connection = join(this.connection, value);
    } else if (kind === field.contentLength) {
      if (this.length !== undefined) throw new RequestError('ERR_HTTP_CONTENT_LENGTH');
      this.length = value;
    } else if (kind === field.transferEncoding) {
      if (this.coding !== undefined) throw new RequestError('ERR_HTTP_CODING');
      this.coding = value;
    } else if (kind === field.expect) {
      this.expect = join(this.expect, value);
    } else if (kind === field.upgrade) {
      this.upgrade = join(this.upgrade, value);
    }
  }
}

function join(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before}, ${value}`;
}

function mentions(list: string | undefined, option: string): boolean {
  if (list === undefined) return false;
  const text = list.toLowerCase();
  if (text === option) return true;
  return text.includes(option) && text.split(',').some((each) => each.trim() === option);
}

/**
 * The head whose parts `scanner` has found in `bytes` from `base` on, `size` bytes long.
 * @throws RequestError
 */
export function readHead(
  scanner: HeadScanner,
  bytes: Buffer,
  base: number,
  size: number,
  limits: Limits,
): RequestHead {
  // One string, of which all others are slices.
  const text = bytes.toString('latin1', base, base + size);
  const sent = text.slice(scanner.methodStart, scanner.methodEnd);
  const method = methods.get(sent) ?? sent;
  const { minor, fields, fieldCount } = scanner;
  if (method === 'PRI') throw new RequestError('ERR_HTTP_VERSION');
  if (method === 'CONNECT') throw new RequestError('ERR_HTTP_METHOD_CONNECT');
  const target = text.slice(scanner.targetStart, scanner.targetEnd);
  const { path, authority, scheme } = readTarget(method, target);

  const names: FieldName[] = [];
  const values: string[] = [];
  const meaning = new Meaning();
  for (let i = 0; i < fieldCount; i++) {
    const place = i * 4;
    const name = fieldName(
      bytes,
      base + (fields[place] as number),
      base + (fields[place + 1] as number),
    );
    const value = text.slice(fields[place + 2], fields[place + 3]);
    names.push(name);
    values.push(value);
    if (name.field === field.other) continue;
    if (name.field === field.contentLength || name.field === field.transferEncoding)
      checkPadding(name.field, text, fields[place + 1] as number);
    meaning.take(name.field, value);
  }
  const { host, length, coding, connection, expect } = meaning;
  if (host === undefined && minor === 1) throw new RequestError('ERR_HTTP_HOST');
  if (coding !== undefined && length !== undefined)
    throw new RequestError('ERR_HTTP_LENGTH_AND_CODING');
  if (coding !== undefined) checkCoding(coding, minor);
  const contentLength =
    coding === undefined ? (length === undefined ? 0 : lengthOf(length, limits)) : undefined;
  // Expect means nothing in HTTP/1.0 (RFC 9110, 10.1.1).
  if (expect !== undefined && minor === 1 && expect.toLowerCase() !== '100-continue')
    throw new RequestError('ERR_HTTP_EXPECT');
  const hasUpgrade = meaning.upgrade !== undefined && minor === 1;
  return {
    method,
    target,
    path,
    scheme,
    minor,
    names,
    values,
    // An absolute target outranks the header (RFC 9112, 3.2.2).
    host: authority === undefined ? host : checkHost(authority),
    contentLength,
    keepAlive:
      minor === 1
        ? connection === undefined || !mentions(connection, 'close')
        : mentions(connection, 'keep-alive') && !mentions(connection, 'close'),
    expectContinue: expect !== undefined && minor === 1 && contentLength !== 0,
    upgrade: hasUpgrade && mentions(connection, 'upgrade') ? meaning.upgrade : undefined,
  };
}
