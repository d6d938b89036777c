/** Limits of what a client may send, with their defaults. Bytes, unless they say otherwise. */
import { InvalidArgumentError } from '@tendril/core';

export interface Limits {
  /** The request line without its end; 414 beyond. Default 8,192. */
  maxRequestLine: number;
  /** Header lines; 431 beyond. Default 100. */
  maxHeadersCount: number;
  /** All header lines of a request together, also those of its trailer; 431 beyond. Default 65,536. */
  maxHeaderSize: number;
  /** The body; 413 beyond. Default 1 GiB; Infinity for none. */
  maxBodySize: number;
}

export const defaultLimits: Readonly<Limits> = {
  maxRequestLine: 8192,
  maxHeadersCount: 100,
  maxHeaderSize: 64 * 1024,
  maxBodySize: 1024 ** 3,
};

/** The limits with defaults for what is undefined. @throws InvalidArgumentError */
export function limitsOf(options: Partial<Limits>): Limits {
  const limits = { ...defaultLimits };
  for (const name of Object.keys(limits) as (keyof Limits)[]) {
    const value = options[name];
    if (value === undefined) continue;
    if (!(typeof value === 'number' && value >= 0))
      throw new InvalidArgumentError(name, 'a number, 0 or more', value);
    limits[name] = value;
  }
  return limits;
}
