/** What the server says of its session with every result without rows. */
import type { ResultSetHeader } from 'mysql2';

const inTransaction = 1;
const autocommit = 2;

/** A transaction is open. */
export const isOpen = (status: number): boolean => (status & inTransaction) !== 0;

/** One is open, or the next statement begins one. */
export const leavesOpen = (status: number): boolean =>
  (status & (inTransaction | autocommit)) !== autocommit;

/**
 * The status of the server after this result; undefined if it does not say. Results with rows say
 * nothing, and need not: only a statement without rows begins a transaction, or turns autocommit off.
 */
export function statusAfter(result: unknown, fields: unknown): number | undefined {
  if (fields === undefined) return (result as ResultSetHeader | undefined)?.serverStatus;
  const [first] = fields as unknown[];
  if (first !== undefined && !Array.isArray(first)) return undefined;
  // Several results: each has fields of its own, or none.
  const last = (fields as unknown[]).lastIndexOf(undefined);
  return last < 0 ? undefined : (result as ResultSetHeader[])[last]?.serverStatus;
}
