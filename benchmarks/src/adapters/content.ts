/** What servers hold and clients ask for. The clients of Python have it from peers/gevent_load.py. */

/** Rows of a table, keys of a cache. */
export const amount = 1000;

const each = <T>(make: (id: number) => T) => Array.from({ length: amount }, (_, id) => make(id));

/** By id. */
export const names = each((id) => `name-${id}`);
export const keys = each((id) => `thing-${id}`);
/** 100 bytes each. */
export const values = each((id) => String(id).padEnd(100, '.'));

/** The id that question `n` is about: all of them in turn, and no neighbours. */
export const idOf = (n: number): number => (n * 7919) % amount;

/** 100 bytes, for sockets. */
export const message = Buffer.alloc(100, 'x');

/** A fast wrong answer is worth nothing. */
export function check(right: boolean, answer: unknown): void {
  if (!right) throw new Error(`wrong answer: ${String(JSON.stringify(answer)).slice(0, 200)}`);
}
