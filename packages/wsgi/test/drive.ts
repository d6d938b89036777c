/** Drives a parser with bytes that are cut in different ways. */

import type { Limits } from '#src/http1/limits.js';
import { limitsOf } from '#src/http1/limits.js';
import { RequestError } from '#src/http1/request-error.js';
import { end, RequestParser } from '#src/http1/request-parser.js';

export interface Parsed {
  /** `GET /path HTTP/1.1`, its fields as `name: value`, and the body as latin1. */
  requests: { line: string; fields: string[]; body: string; whole: boolean }[];
  error?: string;
  /** What is cut off when the input ends here. */
  unfinished?: 'head' | 'body';
}

/** What a parser makes of `pieces`, one after the other, when every request is dealt with at once. */
export function parse(pieces: Iterable<Buffer>, limits: Partial<Limits> = {}): Parsed {
  const parser = new RequestParser(limitsOf(limits));
  const parsed: Parsed = { requests: [] };
  try {
    for (const piece of pieces) {
      parser.push(piece);
      for (let event = parser.next(); event !== undefined; event = parser.next()) {
        const last = parsed.requests.at(-1);
        if (event === end) {
          if (last) last.whole = true;
          parser.nextRequest();
        } else if (Buffer.isBuffer(event)) {
          if (last) last.body += event.toString('latin1');
        } else {
          parsed.requests.push({
            line: `${event.method} ${event.target} HTTP/1.${event.minor}`,
            fields: event.names.map(({ name }, i) => `${name}: ${event.values[i]}`),
            body: '',
            whole: false,
          });
        }
      }
    }
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    parsed.error = error.code;
    return parsed;
  }
  const unfinished = parser.finish();
  if (unfinished) parsed.unfinished = unfinished;
  return parsed;
}

/** Copies, as Node may use the memory of a chunk again. */
export function* cut(bytes: Buffer, sizes: Iterable<number>): Generator<Buffer> {
  let at = 0;
  for (const size of sizes) {
    if (at >= bytes.length) return;
    yield Buffer.from(bytes.subarray(at, at + size));
    at += size;
  }
  if (at < bytes.length) yield Buffer.from(bytes.subarray(at));
}

export function* ones(): Generator<number> {
  for (;;) yield 1;
}

/** Reproducible numbers from 1 to `max`. */
export function* randoms(seed: number, max: number): Generator<number> {
  let state = seed >>> 0 || 1;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield 1 + ((state >>> 16) % max);
  }
}
