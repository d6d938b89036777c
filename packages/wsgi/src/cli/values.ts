/** Values of options: what they may be, and what is said when they are not. */
import { isIP } from 'node:net';
import { UsageError } from './errors.js';

/** @throws UsageError */
export function whole(name: string, value: string, least: number): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < least || !Number.isSafeInteger(number))
    throw new UsageError(
      `${name} must be a whole number, ${least} or more; got ${JSON.stringify(value)}.`,
    );
  return number;
}

/** The longest that a timer of Node's can wait, in milliseconds. */
const longest = 2 ** 31 - 1;

/** Seconds in, milliseconds out. @throws UsageError */
export function milliseconds(name: string, value: string | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  const ms = Number(value) * 1000;
  if (!/^(?:\d+\.?\d*|\.\d+)$/.test(value) || ms > longest)
    throw new UsageError(`${name} must be a number of seconds; got ${JSON.stringify(value)}.`);
  return ms;
}

/** Permission bits in octal: `660`, `0660` or `0o660`. @throws UsageError */
export function mode(name: string, value: string): number {
  if (!/^(?:0o)?[0-7]{1,4}$/.test(value) || Number.parseInt(value.replace('0o', ''), 8) > 0o777)
    throw new UsageError(
      `${name} must be permission bits in octal, such as 660; got ${JSON.stringify(value)}.`,
    );
  return Number.parseInt(value.replace('0o', ''), 8);
}

/** Addresses and networks with commas, or `*`. @throws UsageError */
export function addressList(name: string, value: string): string[] {
  const list = value.split(',').map((item) => item.trim());
  const entries = list.filter((item) => item !== '');
  for (const entry of entries) {
    if (entry === '*') continue;
    const [address = '', bits, ...more] = entry.split('/');
    const version = isIP(address);
    const most = version === 4 ? 32 : 128;
    const wellFormed = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
    if (version === 0 || more.length > 0 || !wellFormed)
      throw new UsageError(`${name} takes addresses, networks or *; got ${JSON.stringify(entry)}.`);
  }
  return entries;
}

/** @throws UsageError */
export function oneOf<Choice extends string>(
  name: string,
  value: string | undefined,
  choices: readonly [Choice, ...Choice[]],
): Choice {
  const found = value === undefined ? choices[0] : choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  const last = choices.at(-1);
  throw new UsageError(
    `${name} must be ${choices.slice(0, -1).join(', ')} or ${last}; got ${JSON.stringify(value)}.`,
  );
}
