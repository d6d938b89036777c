/** The load tester against a server whose times and failures are known. */
import assert from 'node:assert/strict';
import { execFile, spawn as spawnProcess } from 'node:child_process';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { run, sleep } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import { type Application, WSGIServer } from '@tendril/wsgi';
import { Metrics, type Summary } from '#src/metrics.js';

after(() => checkLeaks());

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const browse = fileURLToPath(new URL('../scenarios/browse.mjs', import.meta.url));

/** What the server has seen. */
let requests = 0;
let starts = 0;
let missing = 0;

/** Knows its users by a cookie; every tenth item is missing. */
const app: Application = (environ, start) => {
  requests++;
  const { PATH_INFO: path, HTTP_COOKIE: cookie = '' } = environ as typeof environ & {
    HTTP_COOKIE?: string;
  };
  if (path === '/') starts++;
  sleep(path === '/' ? 5 : 15);
  if (path === '/login') {
    const { name } = JSON.parse(String(environ['wsgi.input'].read())) as { name: string };
    start('200 OK', [['Set-Cookie', `who=${name}; Path=/`]]);
    return [`hello ${name}`];
  }
  const item = /^\/item\/(\d+)$/.exec(path);
  if (item && Number(item[1]) % 10 === 2) {
    missing++;
    start('404 Not Found', []);
    return ['no'];
  }
  start('200 OK', []);
  return [JSON.stringify({ seenBy: cookie.replace('who=', '') })];
};

/** Runs `use` while the application is served. */
async function served(use: (origin: string) => Promise<void>): Promise<void> {
  const server = new WSGIServer('127.0.0.1:0', app);
  await run(() => server.start());
  try {
    await use(`http://127.0.0.1:${server.port}`);
  } finally {
    await run(() => server.stop());
  }
}

interface Report {
  pages: Summary[];
  failures: Record<string, number>;
}

test('counts what the server saw, by page, with cookies and checks', () =>
  served(async (origin) => {
    const measure = async (seconds: number) => {
      requests = starts = missing = 0;
      const args = [main, '--json', '--users', '50', '--seconds', `${seconds}`, '--ramp-up', '0.2'];
      return (await promisify(execFile)(process.execPath, [...args, browse, origin]).catch(
        (error: unknown) => error,
      )) as { code: number; stdout: string };
    };
    let failed = await measure(2);
    // A machine that others keep busy may not bring each user to each page in that time.
    if (starts < 100 || missing < 50) failed = await measure(60);
    assert.equal(failed.code, 1, 'something failed: the third item of each user is missing');
    const { pages, failures } = JSON.parse(failed.stdout) as Report;
    const page = (name: string) => pages.find((one) => one.name === name) as Summary;
    assert.deepEqual(pages.map(({ name }) => name).sort(), ['GET /', 'GET /item/N', 'POST /login']);
    const counted = pages.reduce((sum, { count }) => sum + count, 0);
    // Those under way at the end were seen by the server, and not answered.
    assert.ok(counted <= requests && counted >= requests - 50, `${counted} of ${requests}`);
    assert.deepEqual(Object.keys(failures), ['GET /item/N: status 404']);
    assert.equal(page('GET /item/N').failed, failures['GET /item/N: status 404']);
    assert.ok(page('GET /').p50 >= 5 && page('POST /login').p50 >= 15);
    assert.ok(page('GET /').count >= 50);
  }));

test('Ctrl-C sends the users away and tells what was measured', () =>
  served(async (origin) => {
    const args = [main, '--users', '20', '--seconds', '60', browse, origin];
    const child = spawnProcess(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    child.stdout.on('data', (piece) => {
      text += piece;
    });
    requests = 0;
    while (requests < 100) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    const [code] = await once(child, 'close');
    assert.equal(code, 1);
    assert.match(text, /^page +requests +\/s +failed/);
    assert.match(text, /\nGET \/item\/N +\d+/);
  }));

test('percentiles are exact to 2%', () => {
  const metrics = new Metrics();
  for (let ms = 1; ms <= 1000; ms++) metrics.answered('x', ms);
  const [summary] = metrics.summaries();
  for (const [name, expected] of [
    ['p50', 500],
    ['p95', 950],
    ['p99', 990],
    ['max', 1000],
    ['mean', 500.5],
  ] as const) {
    const value = summary?.[name] ?? 0;
    assert.ok(Math.abs(value - expected) <= expected * 0.02, `${name}: ${value}`);
  }
});

test('what is wrong with the command line is said, with exit code 2', async () => {
  for (const args of [
    [],
    ['x'],
    ['x', 'ftp://a'],
    ['--users', '0', 'x', 'http://a'],
    ['--nonsense'],
  ]) {
    const child = spawnProcess(process.execPath, [main, ...args], { stdio: 'ignore' });
    const [code] = await once(child, 'exit');
    assert.equal(code, 2, args.join(' '));
  }
});
