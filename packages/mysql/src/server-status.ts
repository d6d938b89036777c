/** What the server says of its session with every result without rows. */
import type { ResultSetHeader } from 'mysql2';

const inTransaction = 1;
const autocommit = 2;

function leavesOpen({ serverStatus }: ResultSetHeader): boolean {
  return serverStatus !== undefined && (serverStatus & (inTransaction | autocommit)) !== autocommit;
}

/**
 * True if a transaction may be open after this result, false if none is, undefined if it does not say.
 * Results with rows say nothing, and need not: only a statement without rows begins a transaction, or
 * turns autocommit off.
 */
export function transactionOpenAfter(result: unknown, fields: unknown): boolean | undefined {
  if (fields === undefined) return leavesOpen(result as ResultSetHeader);
  const [first] = fields as unknown[];
  if (first !== undefined && !Array.isArray(first)) return undefined;
  // Several results: each has fields of its own, or none.
  const each = fields as unknown[];
  const last = each.lastIndexOf(undefined);
  return last < 0 ? undefined : leavesOpen((result as ResultSetHeader[])[last] as ResultSetHeader);
}
