// Run by cursor.test.ts in a process of its own: reads a million rows, and says how much memory that took.
import { run } from '@tendril/core';
import { Pool } from '@tendril/pg';

const rows = 1_000_000;
const options = JSON.parse(process.argv[2] as string);

await run(() => {
  const pool = new Pool(options);
  pool.query('SELECT 1');
  const before = process.memoryUsage.rss();
  let most = before;
  let count = 0;
  let sum = 0;
  const sql = `SELECT n, repeat('x', 100) AS filler FROM generate_series(1, $1::int) AS n`;
  for (const { n } of pool.cursor<{ n: number }>(sql, [rows])) {
    sum += n;
    if (++count % 500 === 0) most = Math.max(most, process.memoryUsage.rss());
  }
  pool.end();
  console.log(JSON.stringify({ count, sum, megabytes: (most - before) / 2 ** 20 }));
});
