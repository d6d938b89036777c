/** The figures as a table. */
import type { Experience } from './crowd.js';
import type { Round } from './round.js';

const columns = ['', 'stage', 'pages/s', 'p50', 'p99', 'check-outs/s', 'p50', 'p99', 'failed'];

function cells({ name, stages }: Round): string[][] {
  return stages.map(({ stage, seconds, looking, buying }, i) => {
    const rate = ({ count }: Experience) => (count / seconds).toFixed(0);
    const times = ({ p50, p99 }: Experience) => [`${p50} ms`, `${p99} ms`];
    const failed = String(looking.failed + buying.failed);
    const title = i === 0 ? name : '';
    return [title, stage, rate(looking), ...times(looking), rate(buying), ...times(buying), failed];
  });
}

export function asTable(rounds: Round[]): string {
  const rows = [columns, ...rounds.flatMap(cells)];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: string[]) =>
    row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)));
  return rows.map((row) => line(row).join('  ').trimEnd()).join('\n');
}
