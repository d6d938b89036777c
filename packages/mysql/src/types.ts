/** What mysql2 exports in a way that ES modules do not see. */
import driver from 'mysql2';

/** The types of columns by name, and their names by number, for `typeCast`. */
export const Types = driver.Types;
