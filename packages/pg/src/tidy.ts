/** tidy(): makes a connection that came back to its pool as good as a new one. */
import { ConnectionLostError } from './errors.js';
import { runQuery } from './query.js';
import type { Session } from './session.js';

/**
 * Parks until it is known that nothing is left on it of whoever had it: no query, no transaction, and, if a
 * statement was abandoned, nothing that it may have done all the same (locks, settings, temporary tables): the
 * server takes advisory locks, for one, back for no cancelled query. `prepare` does what is done on new ones.
 * @throws if that cannot be had
 */
export function tidy(session: Session, prepare: () => void): void {
  session.waitRecovered();
  if (!session.usable) throw new ConnectionLostError();
  if (session.raw.getTransactionStatus() !== 'I') runQuery(session, 'ROLLBACK');
  if (!session.tainted) return;
  runQuery(session, 'DISCARD ALL');
  session.forgetAll();
  prepare();
}
