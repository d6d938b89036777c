/** What the server says of its session with every result without rows. */
import type { ResultSetHeader } from 'mysql2';

const inTransaction = 1;
const autocommit = 2;

export interface ServerStatus {
  /** A transaction is open. */
  readonly open: boolean;
  /** One is open, or the next statement opens one, because autocommit is off. */
  readonly unfinished: boolean;
}

function read({ serverStatus }: ResultSetHeader): ServerStatus | undefined {
  if (serverStatus === undefined) return undefined;
  const open = (serverStatus & inTransaction) !== 0;
  return { open, unfinished: open || (serverStatus & autocommit) === 0 };
}

/**
 * Undefined if the result does not say. Results with rows do not, and need not: only a statement without rows
 * begins a transaction, or turns autocommit off.
 */
export function statusAfter(result: unknown, fields: unknown): ServerStatus | undefined {
  if (fields === undefined) return read(result as ResultSetHeader);
  const [first] = fields as unknown[];
  if (first !== undefined && !Array.isArray(first)) return undefined;
  // Several results: each has fields of its own, or none.
  const each = fields as unknown[];
  const last = each.lastIndexOf(undefined);
  return last < 0 ? undefined : read((result as ResultSetHeader[])[last] as ResultSetHeader);
}
