/** What the shop sells: tables, and goods to fill them. */
import type { Pool } from '@tendril/pg';

export const productCount = 1000;

export interface Product {
  id: number;
  name: string;
  cents: number;
  stock: number;
}

/** Makes the table anew, in a schema of its own, so that a real database keeps what it has. */
export function createSchema(pool: Pool): void {
  pool.query('CREATE SCHEMA IF NOT EXISTS tendril_shop');
  pool.query('DROP TABLE IF EXISTS tendril_shop.products');
  pool.query(`
    CREATE TABLE tendril_shop.products (
      id int PRIMARY KEY, name text NOT NULL, cents int NOT NULL, stock int NOT NULL
    )`);
  pool.query(
    `INSERT INTO tendril_shop.products
     SELECT i, 'Product ' || i, 100 + i * 7 % 9900, i % 50 FROM generate_series(1, $1::int) AS i`,
    [productCount],
  );
}

/** The product, or undefined. */
export function readProduct(pool: Pool, id: number): Product | undefined {
  const { rows } = pool.query<Product>(
    'SELECT id, name, cents, stock FROM tendril_shop.products WHERE id = $1',
    [id],
  );
  return rows[0];
}
