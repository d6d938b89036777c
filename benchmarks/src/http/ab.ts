/** ab (ApacheBench): so many requests, each on a connection of its own, so many at a time. */
import { runLoad } from './commands.js';

export interface AbReport {
  /** From the first request to the last answer. */
  seconds: number;
  /** Answers per second. */
  rate: number;
  complete: number;
  /** Not answered, or not with 200. */
  failed: number;
}

export function parseAb(output: string): AbReport {
  const numberAt = (pattern: RegExp, absent: number) => {
    const found = pattern.exec(output)?.[1];
    return found === undefined ? absent : Number(found);
  };
  const report = {
    seconds: numberAt(/^Time taken for tests:\s+([\d.]+) seconds/m, Number.NaN),
    rate: numberAt(/^Requests per second:\s+([\d.]+)/m, Number.NaN),
    complete: numberAt(/^Complete requests:\s+(\d+)/m, 0),
    failed: numberAt(/^Failed requests:\s+(\d+)/m, 0) + numberAt(/^Non-2xx responses:\s+(\d+)/m, 0),
  };
  if (Number.isNaN(report.seconds))
    throw new Error(`ab did not finish: ${output.trim().split('\n').at(-1)}`);
  return report;
}

/** @throws Error unless all are answered */
export async function ab(url: string, concurrency: number, requests: number): Promise<AbReport> {
  const options = ['-q', '-c', String(concurrency), '-n', String(requests)];
  const report = parseAb(await runLoad(['ab', ...options, url]));
  if (report.failed > 0 || report.complete < requests)
    throw new Error(`ab: ${report.complete} of ${requests} answered, ${report.failed} failed`);
  return report;
}
