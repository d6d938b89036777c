/** What is known of a request whose head was refused: for its answer, and for the access log. */
import type { RequestHead } from './request-head.js';

const lineForm = /^(\S+) (\S+) HTTP\/1\.([01])$/;

/** `line`: what there is of the request line. If it is none, it is the target of no method. */
export function refusedHead(line: string): RequestHead {
  const [, method = '', target = line, minor = '1'] = lineForm.exec(line) ?? [];
  return {
    method,
    target,
    path: '',
    scheme: undefined,
    minor: Number(minor),
    names: [],
    values: [],
    host: undefined,
    contentLength: 0,
    keepAlive: false,
    expectContinue: false,
    upgrade: undefined,
  };
}
