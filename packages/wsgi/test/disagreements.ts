/**
 * Where this parser and llhttp, in Node's strict mode, come to different verdicts, and why. The fuzz
 * test fails for every disagreement that is not explained here.
 */
import type { RefusalCode } from '#src/http1/request-error.js';

/** We refuse and llhttp takes. None of these can smuggle anything: the connection closes. */
export const stricter: Partial<Record<RefusalCode, string>> = {
  ERR_HTTP_METHOD:
    'llhttp skips any number of CR and LF before a request, also LF alone; we skip one CR LF',
  ERR_HTTP_METHOD_LONG:
    'llhttp has a list of methods, one of them found in a prefix, where we have a length',
  ERR_HTTP_METHOD_CONNECT: 'node hands CONNECT to a listener; there is no gateway variable for it',
  ERR_HTTP_TARGET:
    'llhttp takes any scheme, `*` with any method, fragments, and bytes that we leave out',
  ERR_HTTP_VERSION: 'llhttp takes HTTP/0.9 and HTTP/2.0 here, and ICY and others with some methods',
  ERR_HTTP_REQUEST_LINE: 'node has one limit for the whole head',
  ERR_HTTP_HEADER_COUNT: 'node drops header lines beyond its limit, without a word',
  ERR_HTTP_HEADER_SIZE: 'node counts lines without their ends, and trailers anew',
  ERR_HTTP_HOST: 'node wants a Host at most, and takes any text, also several',
  ERR_HTTP_CONTENT_LENGTH:
    'llhttp takes zeros and tabs before a length, and lengths that no number of JavaScript has',
  ERR_HTTP_CODING: 'llhttp looks at the last coding only, and takes tabs before it',
  ERR_HTTP_CODING_UNKNOWN: 'node takes a body in a coding that it cannot decode',
  ERR_HTTP_CODING_OLD:
    'llhttp takes chunks from HTTP/1.0, which does not know them (RFC 9112, 6.1)',
  ERR_HTTP_EXPECT: 'node leaves it to a listener',
  ERR_HTTP_BODY_SIZE: 'node has no limit for bodies',
  ERR_HTTP_CHUNK_SIZE: 'llhttp takes any number of zeros before a size; and a size beyond 52 bits',
  ERR_HTTP_CHUNK_EXTENSION: 'the limit of node is 16 KiB, ours 4 KiB',
  ERR_HTTP_TRAILER: 'llhttp only minds a trailer that frames',
};

/** We take and llhttp refuses: its code, why, and what is in the bytes then. */
export const laxer: readonly { code: string; why: string; where: RegExp }[] = [
  {
    code: 'HPE_INVALID_METHOD',
    why: 'llhttp knows a list of methods; the gateway leaves methods to the application',
    where: /(^|\n)[\w!#$%&'*+.^`|~-]+ [^ ]+ HTTP/,
  },
];
