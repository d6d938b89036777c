/** The server's types of columns, as `typeCast` and the fields of a result have them. */
import * as driver from 'mysql2';

// mysql2 makes it a getter, which import cannot see.
const { Types: types } = (driver as unknown as { default: typeof driver }).default;

export const Types: typeof driver.Types = types;
