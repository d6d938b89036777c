/** The parser's table of cases, each whole, byte by byte, cut at random, and with bytes behind it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { refusals } from '#src/http1/request-error.js';
import { cut, ones, parse, randoms } from './drive.js';
import { badCases, goodCases } from './parser-cases.js';

const bytes = (text: string) => Buffer.from(text, 'latin1');

/** In what ways each case is cut. */
function* cuts(input: Buffer): Generator<[string, Iterable<Buffer>]> {
  yield ['whole', [input]];
  yield ['byte by byte', cut(input, ones())];
  for (const [seed, max] of [
    [1, 3],
    [2, 7],
    [3, 40],
    [4, 4000],
  ] as const)
    yield [`cut at random, seed ${seed}`, cut(input, randoms(seed, max))];
}

describe('requests that are taken', () => {
  for (const { name, input, lines, bodies } of goodCases) {
    test(name, () => {
      const whole = parse([bytes(input)]);
      assert.equal(whole.error, undefined);
      assert.deepEqual(
        whole.requests.map((request) => request.line),
        lines,
      );
      assert.deepEqual(
        whole.requests.map((request) => request.body),
        bodies ?? lines.map(() => ''),
      );
      assert.ok(whole.requests.every((request) => request.whole));
      assert.equal(whole.unfinished, undefined);
      for (const [how, pieces] of cuts(bytes(input))) assert.deepEqual(parse(pieces), whole, how);
      const behind = parse([bytes(`${input}GET /behind HTTP/1.1\r\nHost: a\r\n\r\n`)]);
      assert.deepEqual(behind.requests.slice(0, -1), whole.requests, 'with bytes behind');
      assert.equal(behind.requests.at(-1)?.line, 'GET /behind HTTP/1.1');
    });
  }
});

describe('requests that are refused', () => {
  for (const { name, input, code } of badCases) {
    test(`${code}: ${name}`, () => {
      for (const [how, pieces] of cuts(bytes(input))) assert.equal(parse(pieces).error, code, how);
      const behind = bytes(`${input}GET /behind HTTP/1.1\r\nHost: a\r\n\r\n`);
      const parsed = parse([behind]);
      assert.equal(parsed.error, code, 'with bytes behind');
      assert.ok(!parsed.requests.some(({ line }) => line.includes('behind')));
      assert.ok([400, 413, 414, 417, 431, 501].includes(refusals[code][0]));
    });
  }
});

describe('a request that is not all there', () => {
  const input = bytes(
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n',
  );
  const headEnd = input.indexOf('\r\n\r\n') + 4;
  test('says at every byte what is missing', () => {
    for (let at = 1; at < input.length; at++) {
      const { unfinished, error } = parse([input.subarray(0, at)]);
      assert.equal(error, undefined);
      assert.equal(unfinished, at < headEnd ? 'head' : 'body', `after ${at} bytes`);
    }
  });
});

describe('limits', () => {
  const withLine = (length: number) => {
    const line = `GET /${'a'.repeat(length - 14)} HTTP/1.1`;
    assert.equal(line.length, length);
    return bytes(`${line}\r\nHost: a\r\n\r\n`);
  };
  const withFields = (size: number) => {
    const fields = `Host: a\r\nA: ${'b'.repeat(size - 9 - 5)}\r\n`;
    assert.equal(fields.length, size);
    return bytes(`GET / HTTP/1.1\r\n${fields}\r\n`);
  };
  const body = (length: number) =>
    bytes(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(length)}`);

  test('are exact: the last byte that fits is taken, the next one refused', () => {
    for (const make of [(input: Buffer) => [input], (input: Buffer) => cut(input, ones())]) {
      const outcome = (input: Buffer, limits: object) => parse(make(input), limits).error;
      assert.equal(outcome(withLine(100), { maxRequestLine: 100 }), undefined);
      assert.equal(outcome(withLine(101), { maxRequestLine: 100 }), 'ERR_HTTP_REQUEST_LINE');
      assert.equal(outcome(withFields(200), { maxHeaderSize: 200 }), undefined);
      assert.equal(outcome(withFields(201), { maxHeaderSize: 200 }), 'ERR_HTTP_HEADER_SIZE');
      assert.equal(outcome(body(10), { maxBodySize: 10 }), undefined);
      assert.equal(outcome(body(11), { maxBodySize: 10 }), 'ERR_HTTP_BODY_SIZE');
      assert.equal(outcome(withLine(50), { maxHeadersCount: 1 }), undefined);
      assert.equal(outcome(withFields(50), { maxHeadersCount: 1 }), 'ERR_HTTP_HEADER_COUNT');
    }
  });
});
