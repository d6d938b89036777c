/** The report: for people, and as JSON. */
import type { CrawlResult } from './crawler.js';
import type { PlantedPaths } from './demo-site.js';
import { listingQuery } from './folder.js';

export interface Comparison {
  planted: number;
  found: number;
  missed: string[];
  /** What is well and was called broken: planted slow pages, and files that a listing names. */
  invented: string[];
}

/** The value below which `share` of the sorted numbers lie. */
export function percentile(sorted: number[], share: number): number {
  if (sorted.length === 0) return 0;
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
}

export function summary(result: CrawlResult) {
  const sorted = [...result.latencies].sort((a, b) => a - b);
  return {
    complete: result.complete,
    pages: result.pages,
    requests: result.requests,
    links: result.links,
    broken: result.broken.length,
    seconds: round(result.seconds),
    sequentialSeconds: round(sorted.reduce((sum, one) => sum + one, 0) / 1000),
    latency: { p50: round(percentile(sorted, 0.5)), p99: round(percentile(sorted, 0.99)) },
    peakGreenlets: result.peakGreenlets,
    peakMemoryMB: Math.round(result.peakMemory / 1048576),
  };
}

const round = (value: number) => Math.round(value * 100) / 100;

/** What was planted against what was found. */
export function compare(result: CrawlResult, site: PlantedPaths): Comparison {
  const found = new Set(result.broken.map(({ link }) => link));
  const missed = [...site.dead].filter((url) => !found.has(url));
  return {
    planted: site.dead.size,
    found: site.dead.size - missed.length,
    missed,
    invented: result.broken
      .filter(({ page, link }) => site.slow.has(link) || page.endsWith(listingQuery))
      .map(({ link }) => link),
  };
}

export function asText(
  result: CrawlResult,
  options: { origin: string; all: boolean; comparison?: Comparison | undefined },
): string {
  const byPage = new Map<string, string[]>();
  for (const { page, link, reason } of result.broken) {
    const name = page.startsWith(options.origin) ? page.slice(options.origin.length - 1) : page;
    const rows = byPage.get(name) ?? [];
    rows.push(`  ${reason.padEnd(14)} ${link}`);
    byPage.set(name, rows);
  }
  const pages = [...byPage].sort((a, b) => b[1].length - a[1].length);
  const shown = options.all ? pages : pages.slice(0, 20);
  const lines: string[] = ['', 'Broken links by page', ''];
  for (const [page, rows] of shown) {
    const some = options.all ? rows : rows.slice(0, 5);
    lines.push(`${page}  (${rows.length})`, ...some);
    if (some.length < rows.length) lines.push(`  … and ${rows.length - some.length} more`);
  }
  if (pages.length === 0) lines.push('none');
  if (shown.length < pages.length)
    lines.push(`… and ${pages.length - shown.length} more pages (--all shows them)`);
  const facts = summary(result);
  lines.push(
    '',
    ...(facts.complete ? [] : ['PARTIAL REPORT: the crawl was stopped.']),
    `${facts.pages} pages, ${facts.links} links, ${facts.requests} requests, ${facts.broken} broken`,
    `${facts.seconds} s (one after the other: ${facts.sequentialSeconds} s)`,
    `latency p50 ${facts.latency.p50} ms, p99 ${facts.latency.p99} ms`,
    `peak ${facts.peakGreenlets} greenlets, ${facts.peakMemoryMB} MB`,
  );
  const { comparison } = options;
  if (comparison) {
    lines.push(
      `planted dead links: ${comparison.found} of ${comparison.planted} found, ${comparison.invented.length} invented`,
    );
  }
  return lines.join('\n');
}
