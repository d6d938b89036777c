/** The access log: one line or record for each request. */
import type { RequestHead } from '../http1/request-head.js';

export interface AccessRecord {
  readonly time: Date;
  readonly remoteAddress: string;
  /** Empty, as `protocol` is, for a request that was refused before it could be read. */
  readonly method: string;
  /** The target as it was sent, or the whole line of a request that could not be read. */
  readonly target: string;
  readonly protocol: string;
  readonly status: number;
  /** Bytes of body sent. */
  readonly bytes: number;
  /** Milliseconds from the request's head to the response's end. */
  readonly duration: number;
  readonly referer: string | undefined;
  readonly userAgent: string | undefined;
}

/** A stream gets lines in Apache's combined form; a function gets records. */
export type AccessLog = { write(line: string): unknown } | ((record: AccessRecord) => void);

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

const two = (number: number) => String(number).padStart(2, '0');

/** `10/Oct/2000:13:55:36 +0000`: Apache's form, in UTC. */
function apacheTime(time: Date): string {
  const date = `${two(time.getUTCDate())}/${months[time.getUTCMonth()]}/${time.getUTCFullYear()}`;
  const clock = [time.getUTCHours(), time.getUTCMinutes(), time.getUTCSeconds()].map(two);
  return `${date}:${clock.join(':')} +0000`;
}

// Quotes, backslashes and what is not printable would let a client write lines of its own.
function quoted(text: string | undefined): string {
  if (text === undefined || text === '') return '"-"';
  const safe = text.replace(/[^\x20-\x7e]|["\\]/g, (character) =>
    character === '"' || character === '\\'
      ? `\\${character}`
      : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `"${safe}"`;
}

/** A line of Apache's combined log format, with its end. */
export function combinedLine(record: AccessRecord): string {
  const { remoteAddress, time, method, target, protocol, status, bytes } = record;
  const request = quoted(method === '' ? target : `${method} ${target} ${protocol}`);
  return `${remoteAddress || '-'} - - [${apacheTime(time)}] ${request} ${status} ${bytes || '-'} ${quoted(record.referer)} ${quoted(record.userAgent)}\n`;
}

/** A line of JSON, with its end. */
export function jsonLine(record: AccessRecord): string {
  return `${JSON.stringify(record)}\n`;
}

/** The value of the first header line of that name. */
export function headerOf(head: RequestHead, name: string): string | undefined {
  return head.values[head.names.findIndex((each) => each.name === name)];
}
