/** What is asked of which server, and who asks. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Checkout, Field } from '../checkouts.js';
import type { NodeBinary } from '../http/node-binary.js';
import { packageVersion, pythonWith, said } from '../peer-programs.js';
import { fillMemcached, fillMysql, fillPostgres, fillRedis } from './fill.js';
import { type Server, startEcho, startFilled } from './servers.js';

export interface Job {
  /** What figures are called. */
  name: string;
  askers: number;
  unit: 'queries/s' | 'messages/s';
  /** What is sent one way waits in buffers, whose length says nothing. */
  latency: boolean;
}

export interface Service {
  /** Of clients' files: ours/, raw/, and peers/gevent_*.py. */
  module: string;
  server: string;
  start(): Promise<Server>;
  /** By what clients call them. */
  jobs: Record<string, Job>;
  /** Of Node's package, and its own. */
  driver: { package: string; name: string };
  python: {
    /** What it must import, with the names of contestants: the first that is there. */
    modules: Record<string, string>;
    /** Keys of jobs; default all. */
    jobs?: string[];
  };
}

const query = (name: string): Job => ({ name, askers: 50, unit: 'queries/s', latency: true });

export const services: Service[] = [
  {
    module: 'pg',
    server: 'PostgreSQL',
    start: () => startFilled('postgres', fillPostgres),
    jobs: {
      query: query('PostgreSQL, query'),
      prepared: query('PostgreSQL, prepared'),
      pipelined: query('PostgreSQL, prepared, pipelined on one connection'),
    },
    driver: { package: 'pg', name: 'pg' },
    python: { modules: { psycopg2: 'psycopg2' }, jobs: ['query', 'prepared'] },
  },
  {
    module: 'mysql',
    server: 'MariaDB',
    start: () => startFilled('mariadb', fillMysql),
    jobs: { query: query('MySQL, query'), prepared: query('MySQL, prepared') },
    driver: { package: 'mysql2', name: 'mysql2' },
    python: { modules: { pymysql: 'PyMySQL' }, jobs: ['query'] },
  },
  {
    module: 'redis',
    server: 'Redis',
    start: () => startFilled('redis', fillRedis),
    jobs: { get: query('Redis, GET') },
    driver: { package: 'redis', name: 'node-redis' },
    python: { modules: { redis: 'redis-py' } },
  },
  {
    module: 'memcache',
    server: 'memcached',
    start: () => startFilled('memcached', fillMemcached),
    jobs: { get: query('memcached, get') },
    driver: { package: 'memjs', name: 'memjs' },
    python: { modules: { pymemcache: 'pymemcache', memcache: 'python-memcached' } },
  },
  {
    module: 'zmq',
    server: 'libzmq',
    start: startEcho,
    jobs: {
      echo: { ...query('ZeroMQ, echo'), unit: 'messages/s' },
      'one way': { name: 'ZeroMQ, PUSH to PULL', askers: 1, unit: 'messages/s', latency: false },
    },
    driver: { package: 'zeromq', name: 'zeromq.js' },
    python: { modules: { 'zmq.green': 'pyzmq' } },
  },
];

export interface Contestant {
  name: string;
  /** Keys of the jobs that it takes part in. */
  jobs: string[];
  command(job: string, settings: string): string[];
}

interface Contestants {
  /** Ours first. */
  present: Contestant[];
  absent: string[];
  /** Of what is present. */
  versions: string[];
}

const peers = fileURLToPath(new URL('../../peers/', import.meta.url));

export function contestantsOf(
  { module, jobs, driver, python }: Service,
  node: NodeBinary,
  { checkouts, peers: withPeers }: Field,
): Contestants {
  const all = Object.keys(jobs);
  const inNode = (name: string, side: 'ours' | 'raw', { dist }: Checkout): Contestant => {
    const client = path.join(dist, 'adapters', 'client.js');
    return {
      name,
      jobs: all,
      command: (job, settings) => [node.path, client, side, module, job, settings],
    };
  };
  const ours = checkouts.map((checkout) => inNode(checkout.label('tendril'), 'ours', checkout));
  if (!withPeers) return { present: ours, absent: [], versions: [] };
  const found: Contestants = {
    present: [...ours, inNode(driver.name, 'raw', checkouts[0] as Checkout)],
    absent: [],
    versions: [`${driver.name} ${packageVersion(driver.package)}`],
  };
  for (const [imported, name] of Object.entries(python.modules)) {
    const program = pythonWith(`gevent, ${imported}`);
    if (program === undefined) continue;
    const version = `import ${imported} as it; print(it.__version__)`;
    found.versions.push(`${name} ${said(/([\d.]+)/, program, '-c', version) ?? ''}`.trim());
    found.present.push({
      name: `${name} on gevent`,
      jobs: python.jobs ?? all,
      command: (job, settings) => [program, '-B', `${peers}gevent_${module}.py`, job, settings],
    });
    return found;
  }
  found.absent.push(`${Object.values(python.modules).join(' or ')} on gevent`);
  return found;
}
