/** PostgreSQL with @tendril/pg. */
import { Client, Pool } from '@tendril/pg';
import { check, idOf, names } from '../content.js';
import type { Parking } from '../load.js';

const text = 'SELECT id, name FROM things WHERE id = $1';

export const jobs: Parking = {
  query(address) {
    const pool = new Pool({ ...address, max: 10 });
    return {
      ask(n) {
        const id = idOf(n);
        const { rows } = pool.query(text, [id]);
        check(rows.length === 1 && rows[0].name === names[id], rows);
      },
      close: () => pool.end(),
    };
  },
  prepared(address) {
    const pool = new Pool({ ...address, max: 10 });
    return {
      ask(n) {
        const id = idOf(n);
        const { rows } = pool.query({ name: 'thing', text, values: [id] });
        check(rows.length === 1 && rows[0].name === names[id], rows);
      },
      close: () => pool.end(),
    };
  },
  pipelined(address) {
    const client = new Client({ ...address, pipeline: true });
    client.connect();
    return {
      ask(n) {
        const id = idOf(n);
        const { rows } = client.query({ name: 'thing', text, values: [id] });
        check(rows.length === 1 && rows[0].name === names[id], rows);
      },
      close: () => client.end(),
    };
  },
};
