/** The crawler on a site whose pages and links are known, with a real PostgreSQL. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn as spawnProcess } from 'node:child_process';
import { once } from 'node:events';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Service, startService } from '@tendril/adapter-suite';
import { run, sleep } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import { Pool } from '@tendril/pg';
import { type Application, WSGIServer } from '@tendril/wsgi';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const pages = 200;

/** Page n leads to 2n and 2n + 1, to one that is missing, and elsewhere. */
let served = new Map<string, number>();
const app: Application = (environ, start) => {
  const { PATH_INFO: path } = environ;
  served.set(path, (served.get(path) ?? 0) + 1);
  sleep(5);
  const n = Number(/^\/(\d+)$/.exec(path)?.[1]);
  if (!(n >= 1 && n <= pages)) {
    start('404 Not Found', [['Content-Type', 'text/html']]);
    return ['<title>missing</title>'];
  }
  start('200 OK', [['Content-Type', 'text/html']]);
  const next = [2 * n, 2 * n + 1].filter((each) => each <= pages);
  const links = next.map((each) => `<a href="/${each}#top">${each}</a>`).join('');
  return [
    `<title>Page ${n}</title>${links}<a href="gone/${n % 3}">x</a><a href="http://a.invalid/">y</a>`,
  ];
};

let service: Service;
let server: WSGIServer;
let database: string;

before(async () => {
  service = await startService('postgres');
  const { user, password, host, port } = service.info;
  database = `postgres://${user}:${password}@${host}:${port}/postgres`;
  server = new WSGIServer('127.0.0.1:0', app);
  await run(() => server.start());
});
after(async () => {
  await run(() => server.stop());
  await service.stop();
  await checkLeaks();
});
beforeEach(async () => {
  served = new Map();
  await query('DROP TABLE IF EXISTS links, pages');
});

function query<R extends object>(sql: string): Promise<R[]> {
  return run(() => {
    const pool = new Pool({ connectionString: database, max: 1 });
    try {
      return pool.query<R>(sql).rows;
    } finally {
      pool.end();
    }
  });
}

function start(): ChildProcess {
  const args = [
    main,
    '--database',
    database,
    '--workers',
    '15',
    `http://127.0.0.1:${server.port}/1`,
  ];
  return spawnProcess(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** All pages, each once, with their titles, and all links. */
async function checkAll(): Promise<void> {
  const rows = await query<{ status: number; count: number; titles: number }>(
    `SELECT status, count(*)::int AS count, count(DISTINCT title)::int AS titles
     FROM pages WHERE done GROUP BY status ORDER BY status`,
  );
  assert.deepEqual(rows, [
    { status: 200, count: pages, titles: pages },
    { status: 404, count: 3, titles: 1 },
  ]);
  const [links] = await query<{ count: number; outside: number }>(
    `SELECT count(*)::int AS count, (count(*) FILTER (WHERE target LIKE 'http://a.%'))::int AS outside
     FROM links`,
  );
  // Every page but the first is led to once, and each leads to a missing one and outside.
  assert.deepEqual(links, { count: pages - 1 + 2 * pages, outside: pages });
}

test('crawls a site, each page once, and does not leave it', async () => {
  const [code] = await once(start(), 'exit');
  assert.equal(code, 0);
  await checkAll();
  assert.ok([...served.values()].every((times) => times === 1));
});

test('two processes share the work; one that is killed loses nothing', async () => {
  const [first, second] = [start(), start()];
  while (served.size < 60) await delay(5);
  first.kill('SIGKILL');
  await once(first, 'exit');
  const [code] = await once(second, 'exit');
  assert.equal(code, 0);
  await checkAll();
  const again = [...served.values()].filter((times) => times > 1).length;
  assert.ok(again <= 15, `${again} pages were fetched again, one for each worker that was killed`);
});

test('Ctrl-C gives back what it was at, and it goes on from there', async () => {
  const first = start();
  while (served.size < 40) await delay(5);
  first.kill('SIGINT');
  const [status] = await once(first, 'exit');
  assert.notEqual(status, null, 'it ended by itself');
  const before = served.size;
  const [code] = await once(start(), 'exit');
  assert.equal(code, 0);
  await checkAll();
  assert.ok(served.size > before);
});
