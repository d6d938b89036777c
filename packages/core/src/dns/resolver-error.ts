/** Errors in the form that Node gives them: `getaddrinfo ENOTFOUND host`. */
import dns from 'node:dns';
import { getSystemErrorMap } from 'node:util';

export interface ResolverError extends Error {
  code: string;
  errno: number | undefined;
  syscall: string;
  hostname: string;
}

// libuv's numbers for getaddrinfo's errors; Node reports EAI_NONAME as ENOTFOUND.
const numbers = new Map([...getSystemErrorMap()].map(([number, [name]]) => [name, number]));

const { reverse } = dns;
let prototype: object | undefined;

/** Of Node's own errors of names, which is not Error's: taken from one that is thrown at once. */
function nodePrototype(): object {
  if (prototype) return prototype;
  prototype = Error.prototype;
  try {
    reverse('no address', () => {});
  } catch (error) {
    const { syscall } = error as { syscall?: string };
    if (syscall === 'getHostByAddr') prototype = Object.getPrototypeOf(error) as object;
  }
  return prototype;
}

/** `code`: ENOTFOUND (no such name), EAI_AGAIN (no server answered), EAI_ADDRFAMILY and so on. */
export function resolverError(code: string, syscall: string, hostname: string): ResolverError {
  // Errors of queries are c-ares' own, and have no number.
  const number = numbers.get(code === 'ENOTFOUND' ? 'EAI_NONAME' : code);
  const errno = syscall === 'getaddrinfo' ? number : undefined;
  const error = new Error(`${syscall} ${code} ${hostname}`);
  Object.setPrototypeOf(error, nodePrototype());
  return Object.assign(error, { errno, code, syscall, hostname });
}
