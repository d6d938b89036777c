/** renew(): makes a session as it was when the server let it in. */
import driver from 'mysql2';
import { ConnectionClosedError } from './errors.js';
import type { Session } from './session.js';

const quoted = (name: string) => `\`${name.replaceAll('`', '``')}\``;

/** The collation of a number, as mysql2 has it. */
function collation(charsetNumber: number): string | undefined {
  const [name] =
    Object.entries(driver.Charsets).find(([, number]) => number === charsetNumber) ?? [];
  return name?.toLowerCase();
}

/**
 * COM_RESET_CONNECTION ends the transaction, locks, variables, temporary tables and prepared statements. It
 * leaves the current database as it is, and with MySQL the character set is the server's default afterwards.
 * @throws ConnectionClosedError if the session cannot be made as it was
 */
export function renew(session: Session): void {
  const { database, charsetNumber } = session.raw.config as {
    database?: string;
    charsetNumber?: number;
  };
  session.reset();
  const name = charsetNumber === undefined ? undefined : collation(charsetNumber);
  if (name) session.query(`SET NAMES ${name.split('_')[0]} COLLATE ${name}`);
  if (database) session.query(`USE ${quoted(database)}`);
  else if (inSomeDatabase(session)) throw new ConnectionClosedError();
}

function inSomeDatabase(session: Session): boolean {
  const [[row]] = session.query('SELECT DATABASE() AS name') as unknown as [{ name: unknown }[]];
  return row?.name !== null;
}
