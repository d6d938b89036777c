/** The servers, and what each of them takes part in. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Field } from '../checkouts.js';
import { goProgram, packageVersion, pythonWith, said } from '../peer-programs.js';
import type { NodeBinary } from './node-binary.js';

export type Job = 'hello' | 'json' | 'in' | 'out' | 'pipelined' | 'rest' | 'sleep';

export interface HttpServer {
  name: string;
  jobs: ReadonlySet<Job>;
  /** It closes each connection after an answer, which load generators count as an error. */
  closes?: boolean;
  command(port: number): string[];
}

export interface Contestants {
  present: HttpServer[];
  absent: string[];
  /** Of what is present, for the heading. */
  versions: string[];
}

const peers = fileURLToPath(new URL('../../peers/', import.meta.url));
const here = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const requests: Job[] = ['hello', 'json', 'in', 'out'];
const web: Job[] = [...requests, 'pipelined', 'rest'];

/** All that can run here, ours first, and the names of those that cannot. */
export function contestants(node: NodeBinary, field: Field): Contestants {
  const found: Contestants = { present: [], absent: [], versions: [] };
  const add = (label: string, version: string | undefined, ...some: HttpServer[]) => {
    if (version === undefined) found.absent.push(label);
    else {
      found.present.push(...some);
      found.versions.push(`${label} ${version}`);
    }
  };
  const inNode = (name: string, file: string, jobs: Job[], dist = here): HttpServer => ({
    name,
    jobs: new Set(jobs),
    command: (port) => [node.path, path.join(dist, 'http', 'servers', `${file}.js`), String(port)],
  });
  const ours = field.checkouts.map(({ dist, label }) =>
    inNode(label('tendril'), 'tendril', [...web, 'sleep'], dist),
  );

  if (!field.peers) {
    add('Node', node.version, ...ours);
    return found;
  }
  add(
    'Node',
    node.version,
    ...ours,
    inNode('node:http', 'node-http', web),
    inNode('node:net, fixed answer', 'node-net', ['hello', 'pipelined', 'rest']),
  );
  add('Fastify', packageVersion('fastify'), inNode('Fastify', 'fastify', web));
  add('Express', packageVersion('express'), inNode('Express', 'express', web));

  const binary = goProgram(path.join(peers, 'go-http', 'main.go'), 'go-http');
  add('Go', binary && said(/go([\d.]+)/, 'go', 'version'), {
    name: 'Go',
    jobs: new Set(web),
    command: (port) => [binary ?? '', String(port), path.join(peers, 'payload.json')],
  });

  const python = pythonWith('gevent') ?? 'python3';
  const version = 'import gevent; print(gevent.__version__)';
  const gevent = (name: string, jobs: Job[], ...args: string[]): HttpServer => ({
    name,
    jobs: new Set(jobs),
    command: (port) => [python, path.join(peers, 'gevent_http.py'), String(port), ...args],
  });
  add(
    'gevent',
    said(/([\d.]+)/, python, '-c', version),
    gevent('gevent.pywsgi', web),
    gevent('gevent.pywsgi, nodelay', [...web, 'sleep'], 'nodelay'),
  );
  const gunicorn = 'gunicorn -k gevent -w 1 --backlog 1024 --keep-alive 120';
  add('gunicorn', said(/([\d.]+)/, 'gunicorn', '--version'), {
    name: 'gunicorn -k gevent',
    jobs: new Set(web),
    command: (port) => [
      ...`${gunicorn} --worker-connections 10000 -b 127.0.0.1:${port}`.split(' '),
      ...['--chdir', peers, 'http_loaded:application'],
    ],
  });
  // Its own HTTP socket has no keep-alive; with its other one, gevent's loop aborts.
  const uwsgi = 'uwsgi --plugins python3,gevent_python3 --gevent 1000 --listen 1024';
  add('uWSGI', said(/([\d.]+)/, 'uwsgi', '--version'), {
    name: 'uWSGI --gevent, no keep-alive',
    jobs: new Set([...requests, 'sleep']),
    closes: true,
    command: (port) => [
      ...`${uwsgi} --disable-logging --http-socket 127.0.0.1:${port}`.split(' '),
      ...['--chdir', peers, '--module', 'http_loaded'],
    ],
  });
  return found;
}
