import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { Backoff } from '#src/cli/backoff.js';
import { parseBind } from '#src/cli/bind.js';
import { loadApp } from '#src/cli/load-app.js';
import { parseCommand } from '#src/cli/options.js';
import { Command, eventually, fixtures, get, plain, runCommand } from './cli-harness.js';

const folder = mkdtempSync(path.join(tmpdir(), 'tendril-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('--help and --version print to stdout and succeed', () => {
  const { status, out, err } = runCommand('--help');
  assert.equal(status, 0);
  assert.match(out, /^usage: tendril-wsgi/);
  assert.equal(err, '');
  assert.match(runCommand('--version').out, /^tendril-wsgi \d+\.\d+\.\d+\n$/);
});

test('bad options are one line on stderr and exit code 2', () => {
  const { status, out, err } = runCommand(plain, '--nonsense');
  assert.equal(status, 2, err);
  assert.equal(out, '');
  assert.match(
    err,
    /^tendril-wsgi: error: Unknown option '--nonsense'\. See tendril-wsgi --help\.\n$/,
  );
});

test('what an option may be is said when it is not', () => {
  const cases: [string[], RegExp][] = [
    [[], /MODULE:APP is missing/],
    [['a', 'b'], /one MODULE:APP/],
    [['a', '--workers', 'two'], /--workers must be a whole number, 1 or more; got "two"/],
    [['a', '--timeout', '1s'], /--timeout must be a number of seconds; got "1s"/],
    [['a', '--bind', 'here:there'], /--bind must be HOST:PORT/],
    [['a', '--bind', ':65536'], /--bind must be HOST:PORT/],
    [['a', '--bind', 'unix:'], /needs the path/],
    [['a', '--access-log-format', 'csv'], /combined or json/],
    [['a', '--forwarded-allow-ips', '1.2.3'], /--forwarded-allow-ips takes/],
    [['a', '--forwarded-allow-ips', '::1/129'], /--forwarded-allow-ips takes/],
    [['a', '--certfile', 'x.pem'], /--certfile and --keyfile/],
    [['a', '--chdir'], /chdir/],
  ];
  for (const [args, message] of cases)
    assert.throws(() => parseCommand(args, {}), { code: 'ERR_CLI_USAGE', message });
});

test('options have the defaults of gunicorn, and the environment may have others', () => {
  const { settings } = parseCommand(['site'], {});
  assert.deepEqual(
    [settings.bind, settings.workers, settings.timeout],
    [['127.0.0.1:8000'], 1, 30_000],
  );
  const env = { PORT: '80', WEB_CONCURRENCY: '3', FORWARDED_ALLOW_IPS: '*' };
  const { bind, workers, forwardedAllowIps } = parseCommand(['site'], env).settings;
  assert.deepEqual([bind, workers, forwardedAllowIps], [[':80'], 3, ['*']]);
  const forms = ['[::1]:80', ':81', '82', 'example.org:83', 'unix:/run/a.sock'].map(parseBind);
  const parsed = [{ port: 80, host: '::1' }, { port: 81 }, { port: 82 }];
  assert.deepEqual(forms, [...parsed, { port: 83, host: 'example.org' }, { path: '/run/a.sock' }]);
});

test('a crash loop is slowed down, up to ten seconds, and forgotten after a longer life', () => {
  const backoff = new Backoff();
  const waits = Array.from({ length: 9 }, () => backoff.afterDeath(100));
  assert.deepEqual(waits, [0, 250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  assert.equal(backoff.afterDeath(5000), 0);
  assert.equal(backoff.afterDeath(100), 0);
});

test('--check-config loads the application and says so', () => {
  assert.deepEqual(runCommand('--check-config', plain), { status: 0, out: 'ok\n', err: '' });
  const missing = runCommand('--check-config', `${fixtures}plain.mjs:nothing`);
  assert.equal(missing.status, 1);
  assert.match(missing.err, /has no export `nothing`; it exports app/);
  const fetch = runCommand('--check-config', `${fixtures}fetch.cjs:site`);
  assert.match(fetch.err, /add --fetch/);
});

test('an application is found as a file or a package, under its name or the usual ones', async () => {
  const write = (name: string, text: string) => {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  };
  write('function.cjs', 'module.exports = () => [];');
  write('names.js', 'exports.app = () => []; exports.sites = { main: () => [] };');
  write('transpiled.cjs', 'exports.__esModule = true; exports.default = () => [];');
  write('node_modules/site/package.json', '{ "type": "module", "exports": "./site.js" }');
  write('node_modules/site/site.js', 'export const app = () => []; export const number = 1;');
  const options = { fetch: false, directory: folder };
  const good = ['./function.cjs', 'names', 'names:app', './names.js:sites.main', 'transpiled'];
  for (const app of [...good, 'site', 'site:app'])
    assert.equal(typeof (await loadApp(app, options)), 'function', app);
  const bad: [string, RegExp][] = [
    ['site:number', /Export `number` of module "site" must be a WSGI application.*; got number/],
    ['site:nothing', /has no export `nothing`; it exports app, number/],
    ['nowhere', /There is no module "nowhere"/],
  ];
  for (const [app, message] of bad)
    await assert.rejects(loadApp(app, options), { code: 'ERR_CLI_APP', message });
});

test('TLS', async () => {
  const key = path.join(folder, 'key.pem');
  const cert = path.join(folder, 'cert.pem');
  const made =
    '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -days 2';
  const files = ['-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', '-x509', ...made.split(' '), ...files], { stdio: 'pipe' });
  const command = new Command(['-b', '127.0.0.1:0', '--certfile', cert, '--keyfile', key, plain]);
  await command.logged(/Listening at: https:/);
  const body = await new Promise((resolve, reject) => {
    const { port } = command;
    const agent = new Agent({ rejectUnauthorized: false });
    request({ port, host: '127.0.0.1', path: '/peer', agent }, (response) => {
      response.once('data', (data) => resolve(String(data)));
    })
      .once('error', reject)
      .end();
  });
  assert.equal(body, 'https 127.0.0.1');
  assert.equal(await command.stop(), 0);
});

test('an application that does not load ends the command with 3, its error shown once', async () => {
  for (const preload of [[], ['--preload']]) {
    const command = new Command([
      '--bind',
      '127.0.0.1:0',
      '-w',
      '2',
      ...preload,
      `${fixtures}broken.mjs`,
    ]);
    assert.equal(await command.exit, 3);
    assert.equal(command.log.match(/Error: the fixture is broken/g)?.length, 1, command.log);
    if (preload.length === 0) assert.match(command.log, /Worker failed to boot/);
  }
});

test('a fetch handler is served on a Unix socket, and a stale socket is taken over', async () => {
  const socketPath = path.join(folder, 'app.sock');
  const args = ['--bind', `unix:${socketPath}`, '--fetch', `${fixtures}fetch.cjs:site`];
  const first = new Command(args);
  await first.logged(/Listening at: unix:/);
  assert.equal((await get({ socketPath, path: '/a' })).body, 'fetched /a');
  first.kill();
  await first.exit;
  const second = new Command(args);
  await second.logged(/Listening at: unix:/);
  assert.equal((await get({ socketPath, path: '/b' })).body, 'fetched /b');
  assert.equal(await second.stop(), 0);
});

test('proxies that are known say who the client is', async () => {
  const headers = {
    'x-forwarded-for': '6.6.6.6, 1.2.3.4, 127.0.0.1',
    'x-forwarded-proto': 'https',
  };
  const believing = await Command.start('--access-logfile', '-', plain);
  assert.equal((await believing.get('/peer', { headers })).body, 'https 1.2.3.4');
  assert.equal((await believing.get('/peer')).body, 'http 127.0.0.1');
  const bare = { 'x-forwarded-for': 'unknown' };
  assert.equal((await believing.get('/peer', { headers: bare })).body, 'http 127.0.0.1');
  await eventually('the client in the access log', () => /^1\.2\.3\.4 - - /m.test(believing.out));
  const doubting = await Command.start('--forwarded-allow-ips', '10.0.0.0/8', plain);
  assert.equal((await doubting.get('/peer', { headers })).body, 'http 127.0.0.1');
  await Promise.all([believing.stop(), doubting.stop()]);
});

test('USR1 reopens the log files of all processes', async () => {
  const access = path.join(folder, 'access.log');
  const errors = path.join(folder, 'error.log');
  const logs = ['--access-logfile', access, '--access-log-format', 'json'];
  const command = new Command([...logs, '--error-logfile', errors, '-b', '127.0.0.1:0', plain]);
  const port = Number(
    (
      await eventually('the port', () => {
        try {
          return /:(\d+) \(/.exec(readFileSync(errors, 'utf8')) ?? undefined;
        } catch {
          return undefined;
        }
      })
    )[1],
  );
  const ask = (target: string) => get({ port, host: '127.0.0.1', path: target, agent: false });
  await ask('/before');
  await eventually('a line', () => readFileSync(access, 'utf8').includes('"target":"/before"'));
  renameSync(access, `${access}.1`);
  renameSync(errors, `${errors}.1`);
  command.signal('SIGUSR1');
  await eventually('new files', async () => {
    await ask('/after');
    try {
      return readFileSync(access, 'utf8').includes('"target":"/after"');
    } catch {
      return false;
    }
  });
  assert.equal(await command.stop(), 0);
  assert.match(readFileSync(errors, 'utf8'), /Worker exiting.*Shutting down/s);
});
