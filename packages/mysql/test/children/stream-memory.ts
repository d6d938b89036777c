// Streams a million rows, and prints how many came and the most memory that was used meanwhile, in
// MB above what was used before. The argument is the pool's options.
import { run, sleep } from '@tendril/core';
import { createPool, type RowDataPacket } from '@tendril/mysql';

await run(() => {
  const pool = createPool(JSON.parse(process.argv[2] ?? ''));
  for (const _ of pool.stream('SELECT seq FROM seq_1_to_1000')) {
    // what is loaded and compiled once is no matter of the rows
  }
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  let peak = before;
  let rows = 0;
  let sum = 0;
  const sql = "SELECT seq, REPEAT('x', 100) AS pad FROM seq_1_to_1000000";
  for (const row of pool.stream<RowDataPacket>(sql)) {
    sum += row.seq;
    if (++rows % 10_000 === 0) {
      peak = Math.max(peak, process.memoryUsage().rss);
      if (rows % 100_000 === 0) sleep(20); // the server must wait for a slow consumer
    }
  }
  console.log(JSON.stringify({ rows, sum, megabytes: (peak - before) / 2 ** 20 }));
  pool.end();
});
