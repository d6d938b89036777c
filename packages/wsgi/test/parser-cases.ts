/** Requests, well-formed and not, with what must become of them. */
import type { RefusalCode } from '#src/http1/request-error.js';

export interface GoodCase {
  name: string;
  input: string;
  /** Method, target and version of each request. */
  lines: string[];
  bodies?: string[];
}

export interface BadCase {
  name: string;
  input: string;
  code: RefusalCode;
}

const host = 'Host: a\r\n';
const get = (fields: string) => `GET / HTTP/1.1\r\n${host}${fields}\r\n`;
const post = (fields: string, body = '') => `POST / HTTP/1.1\r\n${host}${fields}\r\n${body}`;
const chunked = (body: string) => post('Transfer-Encoding: chunked\r\n', body);
const line = (text: string) => `${text}\r\n${host}\r\n`;

const one = ['GET / HTTP/1.1'];
const posted = ['POST / HTTP/1.1'];

export const goodCases: GoodCase[] = [
  { name: 'the least', input: get(''), lines: one },
  { name: 'HTTP/1.0 without Host', input: 'GET / HTTP/1.0\r\n\r\n', lines: ['GET / HTTP/1.0'] },
  { name: 'an empty line before', input: `\r\n${get('')}`, lines: one },
  { name: 'a method of one letter', input: line('X / HTTP/1.1'), lines: ['X / HTTP/1.1'] },
  {
    name: 'a method of all kinds of token characters',
    input: line("M-!#$%&'*+.^_`|~9 / HTTP/1.1"),
    lines: ["M-!#$%&'*+.^_`|~9 / HTTP/1.1"],
  },
  { name: 'a query', input: line('GET /a?b=c&d HTTP/1.1'), lines: ['GET /a?b=c&d HTTP/1.1'] },
  {
    name: 'characters that browsers send and RFC 3986 forbids',
    input: line('GET /{a}|"b"^`\\<> HTTP/1.1'),
    lines: ['GET /{a}|"b"^`\\<> HTTP/1.1'],
  },
  {
    name: 'an absolute target',
    input: line('GET http://b.example:80/x?y HTTP/1.1'),
    lines: ['GET http://b.example:80/x?y HTTP/1.1'],
  },
  {
    name: 'an absolute target without a path',
    input: line('GET http://b.example HTTP/1.1'),
    lines: ['GET http://b.example HTTP/1.1'],
  },
  { name: 'OPTIONS *', input: line('OPTIONS * HTTP/1.1'), lines: ['OPTIONS * HTTP/1.1'] },
  { name: 'an empty Host', input: 'GET / HTTP/1.1\r\nHost:\r\n\r\n', lines: one },
  { name: 'a Host with a port', input: 'GET / HTTP/1.1\r\nHost: a:80\r\n\r\n', lines: one },
  { name: 'a Host in IPv6', input: 'GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n', lines: one },
  { name: 'white space around a value', input: get('A: \t b c \t \r\n'), lines: one },
  { name: 'an empty value', input: get('A:\r\nB: \r\n'), lines: one },
  { name: 'a tab within a value', input: get('A: b\tc\r\n'), lines: one },
  { name: 'bytes beyond ASCII in a value', input: get('A: \xe4\xff\r\n'), lines: one },
  { name: 'a name twice', input: get('A: 1\r\na: 2\r\n'), lines: one },
  { name: 'a name with an underscore', input: get('A_b: 1\r\n'), lines: one },
  {
    name: 'Content-Length',
    input: post('Content-Length: 3\r\n', 'abc'),
    lines: posted,
    bodies: ['abc'],
  },
  { name: 'Content-Length 0', input: post('Content-Length: 0\r\n'), lines: posted },
  {
    name: 'white space around Content-Length',
    input: post('Content-Length:   3  \r\n', 'abc'),
    lines: posted,
    bodies: ['abc'],
  },
  {
    name: 'GET with a body',
    input: `${get('Content-Length: 2\r\n')}ab`,
    lines: one,
    bodies: ['ab'],
  },
  {
    name: 'a body that looks like a request',
    input: post(`Content-Length: ${get('').length}\r\n`, get('')),
    lines: posted,
    bodies: [get('')],
  },
  {
    name: 'chunks',
    input: chunked('3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'),
    lines: posted,
    bodies: ['abcde'],
  },
  {
    name: 'CHUNKED in capitals',
    input: post('Transfer-Encoding: CHUNKED\r\n', '1\r\na\r\n0\r\n\r\n'),
    lines: posted,
    bodies: ['a'],
  },
  {
    name: 'sizes in capital and small letters, with zeros before them',
    input: chunked(`A\r\n${'x'.repeat(10)}\r\n00b\r\n${'y'.repeat(11)}\r\n000\r\n\r\n`),
    lines: posted,
    bodies: ['x'.repeat(10) + 'y'.repeat(11)],
  },
  {
    name: 'a chunk of CR LF',
    input: chunked('4\r\n\r\n\r\n\r\n0\r\n\r\n'),
    lines: posted,
    bodies: ['\r\n\r\n'],
  },
  {
    name: 'extensions',
    input: chunked('1;a\r\nx\r\n1;b=c;d="e \\"f";g=""\r\ny\r\n0;z\r\n\r\n'),
    lines: posted,
    bodies: ['xy'],
  },
  {
    name: 'a trailer',
    input: chunked('1\r\nx\r\n0\r\nChecksum: 1\r\nOther: 2\r\n\r\n'),
    lines: posted,
    bodies: ['x'],
  },
  { name: 'no chunks', input: chunked('0\r\n\r\n'), lines: posted, bodies: [''] },
  { name: 'two requests', input: get('') + get('A: b\r\n'), lines: [...one, ...one] },
  {
    name: 'bodies between requests',
    input: post('Content-Length: 1\r\n', 'a') + chunked('1\r\nb\r\n0\r\n\r\n') + get(''),
    lines: [...posted, ...posted, ...one],
    bodies: ['a', 'b', ''],
  },
  {
    name: 'an empty line between requests',
    input: `${post('Content-Length: 1\r\n', 'a')}\r\n${get('')}`,
    lines: [...posted, ...one],
    bodies: ['a', ''],
  },
  { name: 'a hundred header lines', input: get('A: b\r\n'.repeat(99)), lines: one },
  {
    name: 'Expect: 100-continue',
    input: post('Expect: 100-Continue\r\nContent-Length: 1\r\n', 'a'),
    lines: posted,
    bodies: ['a'],
  },
  {
    name: 'any expectation in HTTP/1.0, where there are none',
    input: 'GET / HTTP/1.0\r\nExpect: gold\r\n\r\n',
    lines: ['GET / HTTP/1.0'],
  },
];

const bad = (code: RefusalCode, cases: Record<string, string>): BadCase[] =>
  Object.entries(cases).map(([name, input]) => ({ name, input, code }));

const length = (value: string) => post(`Content-Length:${value}\r\n`, 'abc');
const coding = (value: string) => post(`Transfer-Encoding:${value}\r\n`, '0\r\n\r\n');
const hostOf = (value: string) => `GET / HTTP/1.1\r\nHost:${value}\r\n\r\n`;

export const badCases: BadCase[] = [
  ...bad('ERR_HTTP_METHOD', {
    'a space first': ` ${get('')}`,
    'a tab first': `\t${get('')}`,
    'a line feed first': `\n${get('')}`,
    'two empty lines first': `\r\n\r\n${get('')}`,
    'CR alone before the request': `\rG${get('')}`,
    'no method': line(' / HTTP/1.1'),
    'a colon in the method': line('GE:T / HTTP/1.1'),
    'a NUL in the method': line('G\0T / HTTP/1.1'),
    'a byte beyond ASCII in the method': line('G\xe4T / HTTP/1.1'),
    'a tab after the method': line('GET\t/ HTTP/1.1'),
    'a TLS hello': '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03',
    'a request line of a method': 'GET\r\n\r\n',
  }),
  ...bad('ERR_HTTP_METHOD_LONG', { 'a method without end': 'A'.repeat(100) }),
  ...bad('ERR_HTTP_METHOD_CONNECT', { CONNECT: line('CONNECT a:443 HTTP/1.1') }),
  ...bad('ERR_HTTP_TARGET', {
    'no target': line('GET  HTTP/1.1'),
    'a relative target': line('GET a HTTP/1.1'),
    'a target of a host': line('GET a:80 HTTP/1.1'),
    '* with GET': line('GET * HTTP/1.1'),
    'another scheme': line('GET ftp://a/ HTTP/1.1'),
    'no authority': line('GET http:/// HTTP/1.1'),
    'a fragment': line('GET /#a HTTP/1.1'),
    'a NUL in the target': line('GET /\0 HTTP/1.1'),
    'a byte beyond ASCII in the target': line('GET /\xe4 HTTP/1.1'),
    'a DEL in the target': line('GET /\x7f HTTP/1.1'),
    'a tab after the target': line('GET /\tHTTP/1.1'),
    'a line feed after the target': 'GET /\nHost: a\n\n',
    'a query alone': line('GET ?a HTTP/1.1'),
  }),
  ...bad('ERR_HTTP_VERSION', {
    'HTTP/0.9': 'GET /\r\n\r\n',
    'HTTP/0.9 with a version': line('GET / HTTP/0.9'),
    'HTTP/1.2': line('GET / HTTP/1.2'),
    'HTTP/1.10': line('GET / HTTP/1.10'),
    'HTTP/2.0': line('GET / HTTP/2.0'),
    'HTTP/11': line('GET / HTTP/11'),
    'HTTP/1,1': line('GET / HTTP/1,1'),
    'small letters': line('GET / http/1.1'),
    'another protocol': line('GET / ICY/1.1'),
    'two spaces before the version': line('GET /  HTTP/1.1'),
    'a space after the version': line('GET / HTTP/1.1 '),
    'a space in the target': line('GET /a b HTTP/1.1'),
    'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'PRI in HTTP/1.1': line('PRI * HTTP/1.1'),
  }),
  ...bad('ERR_HTTP_REQUEST_LINE', {
    'a long target': line(`GET /${'a'.repeat(8192)} HTTP/1.1`),
    'a target without end': `GET /${'a'.repeat(20_000)}`,
  }),
  ...bad('ERR_HTTP_LINE_END', {
    'LF after the version': `GET / HTTP/1.1\n${host}\r\n`,
    'CR alone after the version': `GET / HTTP/1.1\r${host}\r\n`,
    'LF after a value': 'GET / HTTP/1.1\r\nHost: a\n\r\n',
    'LF for the empty line': 'GET / HTTP/1.1\r\nHost: a\r\n\n',
    'CR alone after a value': 'GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n',
    'CR alone for the empty line': 'GET / HTTP/1.1\r\nHost: a\r\n\rX',
    'CR CR LF after a value': 'GET / HTTP/1.1\r\nHost: a\r\r\n\r\n',
    'LF after a chunk size': chunked('1\na\r\n0\r\n\r\n'),
    'CR alone after a chunk size': chunked('1\ra\r\n0\r\n\r\n'),
    'LF after the last chunk size': chunked('0\n\r\n'),
    'LF for the end of the trailer': chunked('0\r\n\n'),
    'LF after a trailer': chunked('0\r\nA: b\n\r\n'),
    'CR alone in an extension': chunked('1;a\rb\r\na\r\n0\r\n\r\n'),
  }),
  ...bad('ERR_HTTP_HEADER_NAME', {
    'no name': get(': a\r\n'),
    'no colon': get('abc\r\n'),
    'a NUL in a name': get('a\0b: c\r\n'),
    'a bracket in a name': get('a(b): c\r\n'),
    'a quote in a name': get('"a": c\r\n'),
    'a slash in a name': get('a/b: c\r\n'),
    'a byte beyond ASCII in a name': get('\xe4: c\r\n'),
    'CR in a name': get('a\rb: c\r\n'),
    'no name in a trailer': chunked('0\r\n: a\r\n\r\n'),
  }),
  ...bad('ERR_HTTP_HEADER_SPACE', {
    'a space before the colon': get('A : b\r\n'),
    'a tab before the colon': get('A\t: b\r\n'),
    'a space in a name': get('A b: c\r\n'),
    'a space before the colon of Content-Length': post('Content-Length : 3\r\n', 'abc'),
    'a space before the colon of Transfer-Encoding': post('Transfer-Encoding : chunked\r\n'),
    'a space before the colon in a trailer': chunked('0\r\nA : b\r\n\r\n'),
  }),
  ...bad('ERR_HTTP_HEADER_FOLD', {
    'a folded value': get('A: b\r\n c\r\n'),
    'a value folded with a tab': get('A: b\r\n\tc\r\n'),
    'a space before the first name': 'GET / HTTP/1.1\r\n Host: a\r\n\r\n',
    'a line of a space': get(' \r\n'),
    'a folded trailer': chunked('0\r\nA: b\r\n c\r\n\r\n'),
  }),
  ...bad('ERR_HTTP_HEADER_VALUE', {
    'a NUL in a value': get('A: b\0c\r\n'),
    'a DEL in a value': get('A: b\x7f\r\n'),
    'an escape in a value': get('A: \x1b[31m\r\n'),
    'a vertical tab before chunked': post('Transfer-Encoding: \x0bchunked\r\n'),
    'a form feed in a value': get('A: b\x0c\r\n'),
    'a backspace in a trailer': chunked('0\r\nA: \x08\r\n\r\n'),
  }),
  ...bad('ERR_HTTP_HEADER_COUNT', { 'a hundred and one lines': get('A: b\r\n'.repeat(100)) }),
  ...bad('ERR_HTTP_HEADER_SIZE', {
    'a long value': get(`A: ${'b'.repeat(65_536)}\r\n`),
    'a value without end': `GET / HTTP/1.1\r\nA: ${'b'.repeat(70_000)}`,
    'a name without end': `GET / HTTP/1.1\r\n${'b'.repeat(70_000)}`,
    'many long values': get(`A: ${'b'.repeat(1000)}\r\n`.repeat(66)),
    'a long trailer': chunked(`0\r\nA: ${'b'.repeat(65_536)}\r\n\r\n`),
  }),
  ...bad('ERR_HTTP_HOST', {
    'no Host': 'GET / HTTP/1.1\r\n\r\n',
    two: get('Host: a\r\n'),
    'two in HTTP/1.0': 'GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n',
    'a space in Host': hostOf(' a b'),
    'a slash in Host': hostOf(' a/b'),
    'a user in Host': hostOf(' u@a'),
    'a list in Host': hostOf(' a,b:80:90'),
    'a port of letters': hostOf(' a:b'),
    'a bracket that is not closed': hostOf(' [::1'),
    'a bad escape': hostOf(' a%zz'),
    'bytes beyond ASCII in Host': hostOf(' \xe4'),
    'a quote in Host': hostOf(' a"b'),
    'a user in an absolute target': line('GET http://u@a/ HTTP/1.1'),
  }),
  ...bad('ERR_HTTP_CONTENT_LENGTH', {
    'no length': length(''),
    'no length but blanks': length('  '),
    'a tab before': length('\t3'),
    'a tab after': length(' 3\t'),
    'a plus': length(' +3'),
    'a minus': length(' -3'),
    hexadecimal: length(' 0x3'),
    octal: length(' 03'),
    'zeros before': length(' 0003'),
    'a list of the same': length(' 3, 3'),
    'a list': length(' 3,4'),
    'a fraction': length(' 3.0'),
    'an exponent': length(' 3e0'),
    'an underscore': length(' 3_0'),
    'a space within': length(' 3 0'),
    letters: length(' three'),
    'beyond 2 to the 53rd': length(' 9007199254740993'),
    'beyond 2 to the 64th': length(' 18446744073709551619'),
    'two that are the same': post('Content-Length: 3\r\nContent-Length: 3\r\n', 'abc'),
    'two that differ': post('Content-Length: 3\r\nContent-Length: 4\r\n', 'abc'),
    'digits of another script': length(' \xb3'),
  }),
  ...bad('ERR_HTTP_LENGTH_AND_CODING', {
    both: post('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    'both, the other way round': post('Transfer-Encoding: chunked\r\nContent-Length: 3\r\n'),
    'length 0 and chunked': post('Content-Length: 0\r\nTransfer-Encoding: chunked\r\n'),
    'both, the coding unknown': post('Content-Length: 3\r\nTransfer-Encoding: x\r\n'),
  }),
  ...bad('ERR_HTTP_CODING', {
    'an empty coding': coding(''),
    'a tab before chunked': coding('\tchunked'),
    'a tab after chunked': coding(' chunked\t'),
    'chunked twice in a list': coding(' chunked, chunked'),
    'chunked not last': coding(' chunked, gzip'),
    'an empty place in the list': coding(' chunked,'),
    'an empty place before it': coding(' , chunked'),
    'two lines': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'),
    'two lines of a list': post('Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n'),
  }),
  ...bad('ERR_HTTP_CODING_UNKNOWN', {
    gzip: coding(' gzip'),
    'gzip, then chunked': coding(' gzip, chunked'),
    identity: coding(' identity'),
    xchunked: coding(' xchunked'),
    'chunked in quotes': coding(' "chunked"'),
    'chunked with a parameter': coding(' chunked;a=b'),
    'chunked with a zero': coding(' chunked0'),
  }),
  ...bad('ERR_HTTP_CODING_OLD', {
    'chunked in HTTP/1.0': 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  }),
  ...bad('ERR_HTTP_EXPECT', { 'another expectation': post('Expect: gold\r\n') }),
  ...bad('ERR_HTTP_BODY_SIZE', {
    'a long body': length(' 5000000000'),
    'a long chunk': chunked('FFFFFFFFFFF\r\n'),
    'many long chunks': chunked('3\r\nabc\r\n3FFFFFFE\r\n'),
  }),
  ...bad('ERR_HTTP_CHUNK_SIZE', {
    'no size': chunked('\r\nabc'),
    'a plus': chunked('+3\r\nabc\r\n0\r\n\r\n'),
    'a minus': chunked('-3\r\nabc\r\n0\r\n\r\n'),
    '0x': chunked('0x3\r\nabc\r\n0\r\n\r\n'),
    'an underscore': chunked('1_0\r\nabc\r\n'),
    'a space before': chunked(' 3\r\nabc\r\n'),
    'a space after': chunked('3 \r\nabc\r\n'),
    'a space before an extension': chunked('3 ;a\r\nabc\r\n'),
    'a tab after': chunked('3\t\r\nabc\r\n'),
    'no digit': chunked('g\r\n'),
    'only an extension': chunked(';a\r\n'),
    'a NUL': chunked('3\0\r\nabc\r\n'),
    'overflow of 64 bits': chunked('10000000000000003\r\nabc\r\n'),
    'zeros without end': chunked('0'.repeat(100)),
    'a size in place of the next': chunked('3\r\nabc\r\nxyz\r\n'),
  }),
  ...bad('ERR_HTTP_CHUNK_EXTENSION', {
    'LF in an extension': chunked('1;a\nb\r\na\r\n0\r\n\r\n'),
    'a NUL in an extension': chunked('1;a\0\r\na\r\n0\r\n\r\n'),
    'an extension without end': chunked(`1;${'a'.repeat(5000)}`),
    'an extension without a name': chunked('1;\r\na\r\n0\r\n\r\n'),
    'an extension of a value': chunked('1;=a\r\na\r\n0\r\n\r\n'),
    'an extension with an empty value': chunked('1;a=\r\na\r\n0\r\n\r\n'),
    'a space in an extension': chunked('1;a b\r\na\r\n0\r\n\r\n'),
    'two values': chunked('1;a=b=c\r\na\r\n0\r\n\r\n'),
    'a quote that is not closed': chunked('1;a="b\r\na\r\n0\r\n\r\n'),
    'something after a quoted value': chunked('1;a="b"c\r\na\r\n0\r\n\r\n'),
    'a quote within a value': chunked('1;a=b"c"\r\na\r\n0\r\n\r\n'),
    'CR in a quoted value': chunked('1;a="\r\n"\r\na\r\n0\r\n\r\n'),
    'many extensions': chunked(`1;${'a'.repeat(100)}\r\nx\r\n`.repeat(50)),
  }),
  ...bad('ERR_HTTP_CHUNK_END', {
    'data longer than its size': chunked('3\r\nabcd\r\n0\r\n\r\n'),
    'nothing after data': chunked('3\r\nabc0\r\n\r\n'),
    'LF after data': chunked('3\r\nabc\n0\r\n\r\n'),
    'CR alone after data': chunked('3\r\nabc\r0\r\n\r\n'),
  }),
  ...bad('ERR_HTTP_TRAILER', {
    'Content-Length in a trailer': chunked('0\r\nContent-Length: 3\r\n\r\n'),
    'Transfer-Encoding in a trailer': chunked('0\r\nTransfer-Encoding: chunked\r\n\r\n'),
    'Host in a trailer': chunked('0\r\nHost: b\r\n\r\n'),
    'Authorization in a trailer': chunked('0\r\nA: b\r\nAuthorization: x\r\n\r\n'),
    'Cookie in a trailer': chunked('0\r\ncookie: x\r\n\r\n'),
  }),
];
