/** Clients of servers side by side: ours, the drivers under them, and gevent's. */
import { runLoad } from '../http/commands.js';
import type { Result } from '../output.js';
import { Samples } from '../samples.js';
import { type Contestant, type Field, fields, type Job } from './contestants.js';
import type { Settings } from './load.js';
import { parseReport } from './report.js';

export interface AdapterOptions {
  runs: number;
  quick: boolean;
  /** Only jobs with this text in their name. */
  only: string;
}

/** Milliseconds for a client, which needs some seconds. */
const limit = 60_000;

const say = (text: string) => process.stderr.write(`${text}\n`);

/** False if it cannot take part at all. */
async function measure(
  samples: Samples,
  job: Job,
  { name, command }: Contestant,
  settings: Settings,
): Promise<boolean> {
  try {
    const report = parseReport(await runLoad(command(job.key, JSON.stringify(settings)), limit));
    if ('absent' in report) {
      say(`  ${name} left out: ${report.absent}`);
      return false;
    }
    samples.note(`${job.name}, processor time`, name, report.processor);
    samples.note(`${job.name}, rate (${job.unit})`, name, report.rate);
    if (job.latency) samples.note(`${job.name}, p99 (ms)`, name, report.p99);
  } catch (error) {
    say(`  ${name} failed: ${(error as Error).message}`);
  }
  return true;
}

/** One server at a time. Its clients take turns, so that a slow moment of the machine hits all alike. */
async function measureField(
  samples: Samples,
  { start, jobs, contestants }: Field,
  { runs, quick }: AdapterOptions,
): Promise<void> {
  const { address, stop } = await start();
  const out = new Set<string>();
  try {
    for (let run = 0; run < runs; run++) {
      for (const job of jobs) {
        const isIn = ({ name, jobs: own }: Contestant) =>
          own.includes(job.key) && !out.has(`${job.key} ${name}`);
        const takers = contestants.filter(isIn);
        say(`${job.name}: ${takers.map(({ name }) => name).join(', ')}`);
        const settings = { address, askers: job.askers, seconds: quick ? 1 : 4 };
        for (const taker of takers)
          if (!(await measure(samples, job, taker, settings))) out.add(`${job.key} ${taker.name}`);
      }
    }
  } finally {
    await stop();
  }
}

export async function measureAdapters(
  options: AdapterOptions,
): Promise<{ results: Result[]; versions: string[] }> {
  const samples = new Samples();
  const versions: string[] = [];
  for (const field of fields()) {
    const jobs = field.jobs.filter(({ name }) => name.includes(options.only));
    if (jobs.length === 0) continue;
    if (field.absent.length > 0) say(`not installed, left out: ${field.absent.join(', ')}`);
    try {
      await measureField(samples, { ...field, jobs }, options);
      versions.push(...field.versions);
    } catch (error) {
      say(`${field.server} left out: ${(error as Error).message}`);
    }
  }
  return { results: samples.results(), versions };
}
