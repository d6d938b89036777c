/** What is asked of which server, and who asks. */
import { fileURLToPath } from 'node:url';
import { packageVersion, pythonWith, said } from '../peer-programs.js';
import { fillMemcached, fillMysql, fillPostgres, fillRedis } from './fill.js';
import { type Server, startEcho, startFilled } from './servers.js';

export interface Job {
  /** Of clients. */
  key: string;
  /** Of figures. */
  name: string;
  askers: number;
  /** Of answers, as it is written. */
  unit: 'queries/s' | 'messages/s';
  /** What is sent one way waits in buffers, whose length says nothing. */
  latency: boolean;
}

export interface Contestant {
  name: string;
  /** Keys of the jobs that it takes part in. */
  jobs: readonly string[];
  command(job: string, settings: string): string[];
}

export interface Field {
  server: string;
  start(): Promise<Server>;
  jobs: Job[];
  /** Ours first. */
  contestants: Contestant[];
  absent: string[];
  /** Of what is present, for the heading. */
  versions: string[];
}

const client = fileURLToPath(new URL('./client.js', import.meta.url));
const peers = fileURLToPath(new URL('../../peers/', import.meta.url));

const query = (key: string, name: string): Job => ({
  key,
  name,
  askers: 50,
  unit: 'queries/s',
  latency: true,
});

interface Peer {
  /** The module that a client of Python needs; of several the first that is there. */
  modules: string[];
  jobs?: string[];
}

/** `module` names the files of clients: ours/, raw/, and peers/gevent_*.py. */
function field(
  server: string,
  module: string,
  driver: [label: string, name: string],
  jobs: Job[],
  start: () => Promise<Server>,
  peer: Peer,
): Field {
  const keys = jobs.map(({ key }) => key);
  const inNode = (name: string, side: 'ours' | 'raw'): Contestant => ({
    name,
    jobs: keys,
    command: (job, settings) => [process.execPath, client, side, module, job, settings],
  });
  const [label, name] = driver;
  const made: Field = {
    server,
    start,
    jobs,
    contestants: [inNode('tendril', 'ours'), inNode(label, 'raw')],
    absent: [],
    versions: [`${label} ${packageVersion(name)}`],
  };
  const found = peer.modules
    .map((one) => ({ one, python: pythonWith(`gevent, ${one}`) }))
    .find(({ python }) => python);
  if (!found?.python) {
    made.absent.push(`gevent with ${peer.modules[0]}`);
    return made;
  }
  const { one, python } = found;
  const version = `import ${one} as it; print(getattr(it, '__version__', ''))`;
  const root = one.split('.')[0] as string;
  made.versions.push(`${root} ${said(/([\d.]+)/, python, '-c', version)}`);
  made.contestants.push({
    name: `gevent, ${root === 'zmq' ? 'pyzmq' : root}`,
    jobs: peer.jobs ?? keys,
    command: (job, settings) => [python, '-B', `${peers}gevent_${module}.py`, job, settings],
  });
  return made;
}

export function fields(): Field[] {
  return [
    field(
      'PostgreSQL',
      'pg',
      ['pg', 'pg'],
      [
        query('query', 'PostgreSQL, query'),
        query('prepared', 'PostgreSQL, prepared'),
        query('pipelined', 'PostgreSQL, prepared, pipelined on one connection'),
      ],
      () => startFilled('postgres', fillPostgres),
      { modules: ['psycopg2'], jobs: ['query', 'prepared'] },
    ),
    field(
      'MariaDB',
      'mysql',
      ['mysql2', 'mysql2'],
      [query('query', 'MySQL, query'), query('prepared', 'MySQL, prepared')],
      () => startFilled('mariadb', fillMysql),
      { modules: ['pymysql'], jobs: ['query'] },
    ),
    field(
      'Redis',
      'redis',
      ['node-redis', 'redis'],
      [query('get', 'Redis, GET')],
      () => startFilled('redis', fillRedis),
      { modules: ['redis'] },
    ),
    field(
      'memcached',
      'memcache',
      ['memjs', 'memjs'],
      [query('get', 'memcached, get')],
      () => startFilled('memcached', fillMemcached),
      { modules: ['pymemcache', 'memcache'] },
    ),
    field(
      'ZeroMQ',
      'zmq',
      ['zeromq.js', 'zeromq'],
      [
        { ...query('echo', 'ZeroMQ, echo'), unit: 'messages/s' },
        {
          key: 'one way',
          name: 'ZeroMQ, PUSH to PULL',
          askers: 1,
          unit: 'messages/s',
          latency: false,
        },
      ],
      startEcho,
      { modules: ['zmq.green'] },
    ),
  ];
}
