/** Clients of servers side by side: ours, the drivers under them, and those of gevent. */
import type { Field } from '../checkouts.js';
import { canPin, runLoad } from '../http/commands.js';
import { nodeBinary } from '../http/node-binary.js';
import type { Result } from '../output.js';
import { pythonWith, said } from '../peer-programs.js';
import { Samples } from '../samples.js';
import { type Contestant, contestantsOf, type Job, services } from './contestants.js';
import type { Settings } from './load.js';
import { parseReport } from './report.js';
import type { Server } from './servers.js';

export interface AdapterOptions {
  field: Field;
  runs: number;
  quick: boolean;
  /** Only jobs with this text in their name. */
  only: string;
  /** The major version of Node that clients run on; default this one. */
  node?: string | undefined;
}

export interface Measured {
  results: Result[];
  /** Where clients and servers ran. */
  placed: string;
  /** Node's first. */
  versions: string[];
}

/** Milliseconds for a client, which needs some seconds. */
const limit = 60_000;

const say = (text: string) => process.stderr.write(`${text}\n`);

/** A job and those who do it. */
interface Round {
  key: string;
  job: Job;
  takers: Contestant[];
}

/** One run of one client. False if it cannot take part at all. */
async function measure(
  samples: Samples,
  { key, job }: Round,
  { name, command }: Contestant,
  settings: Settings,
): Promise<boolean> {
  try {
    const report = parseReport(await runLoad(command(key, JSON.stringify(settings)), limit));
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

/** Clients take turns, so that a slow moment of the machine hits all alike. */
async function measureRounds(
  samples: Samples,
  { address }: Server,
  rounds: Round[],
  { runs, quick }: AdapterOptions,
): Promise<void> {
  for (let run = 0; run < runs; run++) {
    for (const round of rounds) {
      const { job, takers } = round;
      say(`${job.name}: ${takers.map(({ name }) => name).join(', ')}`);
      const settings = { address, askers: job.askers, seconds: quick ? 1 : 4 };
      for (const taker of [...takers])
        if (!(await measure(samples, round, taker, settings)))
          takers.splice(takers.indexOf(taker), 1);
    }
  }
}

function gevent(): string[] {
  const python = pythonWith('gevent');
  const version = 'import gevent; print(gevent.__version__)';
  return python ? [`gevent ${said(/([\d.]+)/, python, '-c', version)}`] : [];
}

/** All of it, one server after the other. */
export async function measureAdapters(options: AdapterOptions): Promise<Measured> {
  const samples = new Samples();
  const node = nodeBinary(options.node);
  const versions = [`Node ${node.version}`, ...gevent()];
  const loose: string[] = [];
  for (const service of services) {
    const jobs = Object.entries(service.jobs).filter(([, { name }]) => name.includes(options.only));
    if (jobs.length === 0) continue;
    const { present, absent, versions: clients } = contestantsOf(service, node, options.field);
    if (absent.length > 0) say(`not installed, left out: ${absent.join(', ')}`);
    const rounds = jobs.map(([key, job]) => ({
      key,
      job,
      takers: present.filter((one) => one.jobs.includes(key)),
    }));
    let server: Server;
    try {
      server = await service.start();
    } catch (error) {
      say(`${service.server} left out: ${(error as Error).message}`);
      continue;
    }
    try {
      await measureRounds(samples, server, rounds, options);
    } finally {
      await server.stop();
    }
    versions.push(`${service.server} ${server.version}`, ...clients);
    if (!server.pinned) loose.push(service.server);
  }
  const clients = canPin ? 'Clients pinned to one processor' : 'Clients not pinned';
  const servers = loose.length > 0 ? `servers not: ${loose.join(', ')}` : 'servers to another';
  return { results: samples.results(), placed: `${clients}, ${servers}`, versions };
}
