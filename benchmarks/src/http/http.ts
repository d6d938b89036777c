/** HTTP servers side by side, under wrk and ab. */
import type { Field } from '../checkouts.js';
import type { Result } from '../output.js';
import { works } from '../peer-programs.js';
import { Samples } from '../samples.js';
import { classics, measureClassic } from './classics.js';
import { contestants, type HttpServer, type Job } from './contestants.js';
import { nodeBinary } from './node-binary.js';
import { measureRequests, scenarios } from './requests.js';
import { measureRest } from './rest.js';

export interface HttpOptions {
  field: Field;
  runs: number;
  quick: boolean;
  /** Only scenarios with this text in their name. */
  only: string;
  /** The major version of Node that servers run on; default this one. */
  node?: string | undefined;
}

interface Step {
  name: string;
  job: Job;
  measure(samples: Samples, server: HttpServer): Promise<void>;
}

function steps(quick: boolean): Step[] {
  const resting = quick ? 1000 : 5000;
  const withAb = works('ab', '-V');
  if (!withAb) process.stderr.write('not installed, left out: ab (apache2-utils)\n');
  return [
    ...scenarios.map((scenario) => ({
      name: scenario.name,
      job: scenario.job,
      measure: (samples: Samples, server: HttpServer) =>
        measureRequests(samples, server, scenario, quick ? 1 : 4),
    })),
    {
      name: `${resting.toLocaleString('en-US')} connections at rest`,
      job: 'rest',
      measure: (samples, server) => measureRest(samples, server, resting),
    },
    ...classics(quick)
      .filter(() => withAb)
      .map((classic) => ({
        name: classic.name,
        job: 'sleep' as const,
        measure: (samples: Samples, server: HttpServer) => measureClassic(samples, server, classic),
      })),
  ];
}

/** All of it, `runs` times; interleaved, so that a slow moment of the machine hits all alike. */
export async function measureHttp(
  options: HttpOptions,
): Promise<{ results: Result[]; versions: string[] }> {
  if (!works('sh', '-c', 'command -v wrk')) throw new Error('the load comes from wrk: install it');
  const { present, absent, versions } = contestants(nodeBinary(options.node), options.field);
  if (absent.length > 0) process.stderr.write(`not installed, left out: ${absent.join(', ')}\n`);
  const samples = new Samples();
  const chosen = steps(options.quick).filter(({ name }) => name.includes(options.only));
  for (let run = 0; run < options.runs; run++) {
    for (const { name, job, measure } of chosen) {
      const takers = present.filter((server) => server.jobs.has(job));
      process.stderr.write(`${name}: ${takers.map((server) => server.name).join(', ')}\n`);
      for (const server of takers) {
        try {
          await measure(samples, server);
        } catch (error) {
          process.stderr.write(`  ${server.name} failed: ${(error as Error).message}\n`);
        }
      }
    }
  }
  return { results: samples.results(), versions };
}
