/** What came out, as text. */
import type { Metrics, Summary } from './metrics.js';

const columns = ['page', 'requests', '/s', 'failed', 'mean', 'p50', 'p95', 'p99', 'max'];

function row(summary: Summary, seconds: number): string[] {
  const { name, count, failed, mean, p50, p95, p99, max } = summary;
  const times = [mean, p50, p95, p99, max].map((ms) => ms.toFixed(ms < 10 ? 1 : 0));
  return [name, String(count), (count / seconds).toFixed(1), String(failed), ...times];
}

/** A table of pages, times in milliseconds, and what failed. */
export function asText(metrics: Metrics, seconds: number): string {
  const rows = [columns, ...metrics.summaries().map((summary) => row(summary, seconds))];
  const widths = columns.map((_, i) => Math.max(...rows.map((cells) => cells[i]?.length ?? 0)));
  const lines = rows.map((cells) =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  '),
  );
  const failures = [...metrics.failures]
    .sort(([, a], [, b]) => b - a)
    .map(([what, count]) => `${count} x ${what}`);
  return [...lines, ...(failures.length > 0 ? ['', ...failures] : [])].join('\n');
}
