/** Timing inside one process: warm up, repeat, take the median. */

/** Nanoseconds per operation of `body(count)`, which performs `count` operations. */
export type Figure = () => number | Promise<number>;

const repeats = 7;

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

export function timeSync(count: number, body: (count: number) => void): number {
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const start = process.hrtime.bigint();
    body(count);
    times.push(Number(process.hrtime.bigint() - start) / count);
  }
  return median(times.slice(2));
}

export async function timeAsync(
  count: number,
  body: (count: number) => Promise<unknown>,
): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const start = process.hrtime.bigint();
    await body(count);
    times.push(Number(process.hrtime.bigint() - start) / count);
  }
  return median(times.slice(2));
}

/** Bytes of resident memory per thing that `make(count)` leaves parked. */
export async function bytesPer(
  count: number,
  make: (count: number) => unknown,
  settle: () => Promise<void> | void = () => {},
): Promise<number> {
  const collect = globalThis.gc as () => void;
  make(10);
  await settle();
  collect();
  const before = process.memoryUsage.rss();
  const kept = make(count);
  await settle();
  collect();
  const after = process.memoryUsage.rss();
  return kept === undefined ? Number.NaN : (after - before) / count;
}
