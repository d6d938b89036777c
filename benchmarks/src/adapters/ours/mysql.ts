/** MySQL with @tendril/mysql. */
import { createPool, type RowDataPacket } from '@tendril/mysql';
import { check, idOf, names } from '../content.js';
import type { Parking } from '../load.js';

const text = 'SELECT id, name FROM things WHERE id = ?';

export const jobs: Parking = {
  query(address) {
    const pool = createPool({ ...address, connectionLimit: 10 });
    return {
      ask(n) {
        const id = idOf(n);
        const [rows] = pool.query<RowDataPacket[]>(text, [id]);
        check(rows.length === 1 && rows[0]?.name === names[id], rows);
      },
      close: () => pool.end(),
    };
  },
  prepared(address) {
    const pool = createPool({ ...address, connectionLimit: 10 });
    return {
      ask(n) {
        const id = idOf(n);
        const [rows] = pool.execute<RowDataPacket[]>(text, [id]);
        check(rows.length === 1 && rows[0]?.name === names[id], rows);
      },
      close: () => pool.end(),
    };
  },
};
