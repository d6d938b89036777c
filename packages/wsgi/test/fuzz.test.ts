/** Requests that are nearly well-formed, against ourselves and against llhttp. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import type { RefusalCode } from '#src/http1/request-error.js';
import { laxer, stricter } from './disagreements.js';
import { cut, type Parsed, parse, randoms } from './drive.js';
import { Llhttp, type Seen } from './llhttp.js';
import { badCases, goodCases } from './parser-cases.js';

const { TENDRIL_TEST_LONG: long, TENDRIL_TEST_SHORT: short } = process.env;
/** Milliseconds for each of the two tests. */
const time = long ? Number(long) * 300_000 : short ? 1_000 : 5_000;

const seeds = [...goodCases, ...badCases]
  .map(({ input }) => input)
  .filter((input) => input.length < 2000);

const tokens = [
  ...[
    '',
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    ' ',
    '\t',
    '\0',
    ':',
    ';',
    ',',
    '"',
    '0',
    'a',
    '+',
    '-',
    '_',
  ],
  ...['\x0b', '\x7f', '\x80', '\xff', '0\r\n\r\n', 'HTTP/1.0', 'HTTP/1.1', 'chunked', ', chunked'],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'Content-Length: 3\r\n',
    'Connection: close\r\n',
    '1\r\na\r\n',
  ],
  ...['GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'Content-Length', 'Transfer-Encoding', 'Host: a\r\n'],
];

/** One or two cases behind each other, with a few changes. */
const inputs: fc.Arbitrary<Buffer> = fc
  .record({
    cases: fc.array(fc.constantFrom(...seeds), { minLength: 1, maxLength: 2 }),
    changes: fc.array(
      fc.record({
        at: fc.nat(400),
        remove: fc.nat(4),
        insert: fc.oneof(
          { weight: 3, arbitrary: fc.constantFrom(...tokens) },
          { weight: 1, arbitrary: fc.nat(255).map((code) => String.fromCharCode(code)) },
        ),
      }),
      { maxLength: 3 },
    ),
  })
  .map(({ cases, changes }) => {
    let text = cases.join('');
    for (const { at, remove, insert } of changes) {
      const place = at % (text.length + 1);
      text = text.slice(0, place) + insert + text.slice(place + remove);
    }
    return Buffer.from(text, 'latin1');
  });

const timed = { numRuns: 10_000_000, interruptAfterTimeLimit: time, markInterruptAsFailure: false };

test('it makes no difference how the bytes are cut', () => {
  fc.assert(
    fc.property(inputs, fc.nat(), fc.integer({ min: 1, max: 60 }), (input, seed, max) => {
      assert.deepEqual(parse(cut(input, randoms(seed, max))), parse([input]));
    }),
    timed,
  );
});

type Request = Parsed['requests'][number];

/** Undefined if the two tell the same, as far as both have come. */
function difference(ours: Request, theirs: Request): string | undefined {
  if (ours.line !== theirs.line) return 'line';
  if (ours.fields.join('\n') !== theirs.fields.join('\n')) return 'fields';
  const isPrefix = ours.body.startsWith(theirs.body) || theirs.body.startsWith(ours.body);
  if (!isPrefix) return 'body';
  if (ours.whole && theirs.whole && ours.body !== theirs.body) return 'length of the body';
  return undefined;
}

/** A head or trailer that llhttp refuses early, and we at its end. */
function refusedLater(input: Buffer, ours: Parsed): boolean {
  const finished = Buffer.concat([input, Buffer.from('\r\n\r\n')]);
  return ours.unfinished !== undefined && parse([finished]).error !== undefined;
}

function isExplained(error: string, input: Buffer): boolean {
  const text = input.toString('latin1');
  return laxer.some(({ code, where }) => code === error && where.test(text));
}

function judge(input: Buffer, ours: Parsed, theirs: Seen): string | undefined {
  const count = Math.min(ours.requests.length, theirs.requests.length);
  for (let i = 0; i < count; i++) {
    const what = difference(ours.requests[i] as Request, theirs.requests[i] as Request);
    if (what) return `the ${what} of request ${i + 1} differs`;
  }
  if (theirs.closed) return undefined; // the connection looks no further, and neither do we
  if (ours.error && !theirs.error)
    return stricter[ours.error as RefusalCode] ? undefined : `only we refuse: ${ours.error}`;
  if (theirs.error && !ours.error)
    return isExplained(theirs.error, input) || refusedLater(input, ours)
      ? undefined
      : `only llhttp refuses: ${theirs.error}`;
  if (ours.error) return undefined;
  if (ours.requests.length !== theirs.requests.length) return 'the numbers of requests differ';
  return ours.requests.every(({ whole }, i) => whole === theirs.requests[i]?.whole)
    ? undefined
    : 'one is whole here and not there';
}

const llhttp = new Llhttp();
after(() => llhttp.close());

test('every disagreement with llhttp is explained', async () => {
  await fc.assert(
    fc.asyncProperty(inputs, async (input) => {
      const ours = parse([input]);
      const theirs = await llhttp.parse(input);
      const verdict = judge(input, ours, theirs);
      if (verdict)
        assert.fail(
          `${verdict}\n${JSON.stringify(input.toString('latin1'))}\n${JSON.stringify({ ours, theirs }, undefined, 1)}`,
        );
    }),
    timed,
  );
});
