/** PostgreSQL with pg. */
import pg from 'pg';
import { check, idOf, names } from '../content.js';
import type { Async } from '../load.js';

const text = 'SELECT id, name FROM things WHERE id = $1';

export const jobs: Async = {
  async query(address) {
    const pool = new pg.Pool({ ...address, max: 10 });
    return {
      async ask(n) {
        const id = idOf(n);
        const { rows } = await pool.query(text, [id]);
        check(rows.length === 1 && rows[0].name === names[id], rows);
      },
      close: () => pool.end(),
    };
  },
  async prepared(address) {
    const pool = new pg.Pool({ ...address, max: 10 });
    return {
      async ask(n) {
        const id = idOf(n);
        const { rows } = await pool.query({ name: 'thing', text, values: [id] });
        check(rows.length === 1 && rows[0].name === names[id], rows);
      },
      close: () => pool.end(),
    };
  },
  async pipelined(address) {
    const client = new pg.Client({ ...address, pipeline: true });
    await client.connect();
    return {
      async ask(n) {
        const id = idOf(n);
        const { rows } = await client.query({ name: 'thing', text, values: [id] });
        check(rows.length === 1 && rows[0].name === names[id], rows);
      },
      close: () => client.end(),
    };
  },
};
