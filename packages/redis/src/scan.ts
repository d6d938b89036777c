/** scan(): the iterators over cursors. */
type Reply = Record<string, unknown> & { cursor: string | Buffer };
type Scan = (...args: unknown[]) => Reply;

/** Yields the items of each reply, a list of any length, until the cursor is at its end. */
export function* scan(
  on: object,
  command: string,
  key: unknown[],
  options: { cursor?: string | Buffer } | undefined,
  items: (reply: Reply) => unknown,
): Generator<unknown, void, undefined> {
  let cursor = options?.cursor ?? '0';
  do {
    const method = (on as Record<string, Scan>)[command] as Scan;
    const reply = method.call(on, ...key, cursor, options);
    cursor = reply.cursor;
    yield items(reply);
  } while (cursor.toString() !== '0');
}
