/** Workers of the command: how they come, go and are replaced, under load. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { Command, eventually, Load, plain } from './cli-harness.js';

const folder = mkdtempSync(path.join(tmpdir(), 'tendril-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));

// Lets a retired worker without connections of its own go soon, and is longer than a busy client rests.
const short = ['--keep-alive', '3'];

/** A request that a worker works on till `end()`. */
async function begun(
  command: Command,
): Promise<{ answer: Promise<string>; end(): Promise<string> }> {
  const file = path.join(folder, `slow-${randomUUID()}`);
  const answer = command.get(`/slow?${file}`).then(({ body }) => body);
  await eventually('a request that has begun', () => existsSync(`${file}.begun`));
  const end = () => {
    writeFileSync(file, '');
    return answer;
  };
  return { answer, end };
}

test('TTIN and TTOU change the number of workers, HUP restores it', async () => {
  const command = await Command.start('-w', '2', ...short, plain);
  const before = await command.pids(2);
  command.signal('SIGTTIN');
  await command.pids(3);
  command.signal('SIGTTOU');
  await command.pids(2);
  command.signal('SIGTTOU');
  await command.pids(1);
  command.signal('SIGHUP');
  await eventually('two new ones', async () =>
    [...(await command.pids(2))].every((pid) => !before.has(pid)),
  );
  assert.equal(await command.stop(), 0);
});

test('WINCH retires all workers; connections then wait for the next one', async () => {
  const command = await Command.start(...short, plain);
  const [pid] = await command.pids(1);
  command.signal('SIGWINCH');
  await command.logged(new RegExp(`Worker exiting \\(pid: ${pid}\\)`));
  const waiting = command.get('/pid');
  command.signal('SIGTTIN');
  assert.notEqual((await waiting).body, String(pid));
  assert.equal(await command.stop(), 0);
});

test('a worker that is sent TERM is replaced, and loses nothing', async () => {
  const command = await Command.start(...short, plain);
  const load = new Load(command, 4);
  process.kill(command.bootedPids[0] as number, 'SIGTERM');
  await eventually('its successor', () => load.pids.has(command.bootedPids[1] ?? 0));
  await load.stop();
  assert.deepEqual(load.errors, []);
  assert.equal(await command.stop(), 0);
});

test('a killed worker loses only its own requests, and is replaced at once', async () => {
  const command = await Command.start('-w', '2', plain);
  const [victim] = await command.pids(2);
  const load = new Load(command, 8);
  await eventually(
    'requests of all clients to both',
    () => load.pids.size === 2 && load.answered > 20,
  );
  process.kill(victim as number, 'SIGKILL');
  await eventually('a third worker that answers', () => load.pids.size === 3);
  await load.stop();
  // The first death is no crash loop: nobody waits before the next worker is started.
  assert.doesNotMatch(command.log, /Workers die as soon as they start/);
  // About half of the clients were with the victim, and each lost what it was just asking.
  assert.ok(load.errors.length <= 8, `${load.errors.length} of ${load.answered} lost`);
  for (const error of load.errors) assert.match(String(error), /ECONNRESET|socket hang up/);
  assert.ok(load.answered > 20);
  assert.equal(await command.stop(), 0);
});

test('the only worker can be killed, and no new connection is refused meanwhile', async () => {
  const command = await Command.start(plain);
  const [victim] = await command.pids(1);
  process.kill(victim as number, 'SIGKILL');
  const answers = await Promise.all(Array.from({ length: 20 }, () => command.get('/short')));
  assert.ok(answers.every(({ status, body }) => status === 200 && body !== String(victim)));
  assert.equal(await command.stop(), 0);
});

test('HUP under load loses no request, on new connections and on kept ones', async () => {
  const command = await Command.start('-w', '2', ...short, plain);
  const load = new Load(command, 10);
  await eventually('answers of the first two', () => load.pids.size === 2);
  for (let round = 0; round < 2; round++) {
    const answered = load.answered;
    await eventually('more answers', () => load.answered > answered + 20);
    const known = command.bootedPids.length;
    command.signal('SIGHUP');
    await eventually('new workers', () => command.bootedPids.length === known + 2);
    const fresh = command.bootedPids.slice(-2);
    await eventually('answers of both', () => fresh.every((pid) => load.pids.has(pid)));
  }
  await load.stop();
  assert.deepEqual(load.errors, []);
  assert.equal(load.pids.size, 6);
  assert.ok(load.answered > 100);
  assert.equal(await command.stop(), 0);
});

test('a reload of broken code leaves the old workers in service', async () => {
  const app = path.join(folder, 'app.mjs');
  const write = (text: string) => writeFileSync(app, text);
  const good = (word: string) =>
    `export default (environ, start) => { start('200 OK', []); return ['${word}']; };`;
  write(good('one'));
  const command = await Command.start('--reload', ...short, app);
  assert.equal((await command.get('/')).body, 'one');
  write('export default (');
  await command.logged(/the reload is given up/);
  assert.match(command.log, /SyntaxError/);
  assert.equal((await command.get('/')).body, 'one');
  write(good('two'));
  await eventually('new code', async () => (await command.get('/')).body === 'two');
  assert.equal(await command.stop(), 0);
});

test('a worker whose event loop stands still is killed and replaced', async () => {
  const command = await Command.start('--timeout', '0.6', plain);
  const file = path.join(folder, 'stuck');
  const lost = assert.rejects(command.get(`/stuck?${file}`), /ECONNRESET|socket hang up/);
  await eventually('a worker that is stuck', () => existsSync(file));
  // This one is handed to the stuck worker, and then to its successor.
  const { status } = await command.get('/');
  assert.equal(status, 200);
  await lost;
  assert.match(command.log, /\[CRITICAL\] WORKER TIMEOUT/);
  assert.equal(command.bootedPids.length, 2);
  assert.equal(await command.stop(), 0);
});

test('--max-requests replaces workers without losing a request', async () => {
  const limits = ['--max-requests', '25', '--max-requests-jitter', '10'];
  const command = await Command.start(...limits, ...short, plain);
  const load = new Load(command, 6);
  await eventually('three workers in turn', () => load.pids.size >= 3);
  await load.stop();
  assert.deepEqual(load.errors, []);
  assert.ok([...load.pids.values()].some((count) => count >= 25));
  assert.equal(await command.stop(), 0);
});

test('TERM lets a slow request end, INT does not', async () => {
  const command = await Command.start('--pid', path.join(folder, 'pid'), plain);
  assert.equal(readFileSync(path.join(folder, 'pid'), 'utf8'), `${command.process.pid}\n`);
  const slow = await begun(command);
  command.signal('SIGTERM');
  await command.logged(/Handling signal: term/);
  assert.equal(await slow.end(), 'slow but sure');
  assert.equal(await command.exit, 0);
  assert.throws(() => readFileSync(path.join(folder, 'pid')), { code: 'ENOENT' });

  const hasty = await Command.start(plain);
  const { answer } = await begun(hasty);
  // The request never ends by itself: whoever waited for it would wait for ever.
  const lost = assert.rejects(answer);
  hasty.signal('SIGINT');
  assert.equal(await hasty.exit, 0);
  await lost;
});

test('workers finish their requests when the arbiter is killed', async () => {
  const command = await Command.start('-w', '2', plain);
  const [pid] = await command.pids(2);
  const slow = await begun(command);
  command.signal('SIGKILL');
  await command.exit;
  assert.equal(await slow.end(), 'slow but sure');
  await eventually('the end of the worker', () => {
    try {
      process.kill(pid as number, 0);
      return false;
    } catch {
      return true;
    }
  });
});
