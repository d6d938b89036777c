/** MySQL with mysql2. */
import { createPool, type RowDataPacket } from 'mysql2/promise';
import { check, idOf, names } from '../content.js';
import type { Async } from '../load.js';

const text = 'SELECT id, name FROM things WHERE id = ?';

export const jobs: Async = {
  async query(address) {
    const pool = createPool({ ...address, connectionLimit: 10 });
    return {
      async ask(n) {
        const id = idOf(n);
        const [rows] = await pool.query<RowDataPacket[]>(text, [id]);
        check(rows.length === 1 && rows[0]?.name === names[id], rows);
      },
      close: () => pool.end(),
    };
  },
  async prepared(address) {
    const pool = createPool({ ...address, connectionLimit: 10 });
    return {
      async ask(n) {
        const id = idOf(n);
        const [rows] = await pool.execute<RowDataPacket[]>(text, [id]);
        check(rows.length === 1 && rows[0]?.name === names[id], rows);
      },
      close: () => pool.end(),
    };
  },
};
