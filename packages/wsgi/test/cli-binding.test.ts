/** Sockets that the command makes, takes over, or is handed. */
import assert from 'node:assert/strict';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { listenDescriptors } from '#src/cli/inherited.js';
import { parseCommand } from '#src/cli/options.js';
import { connectionsOfWorker, descriptorLimit, shareOf } from '#src/server/descriptors.js';
import { Command, eventually, get, plain } from './cli-harness.js';

const folder = mkdtempSync(path.join(tmpdir(), 'tendril-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const modeOf = (file: string) => (lstatSync(file).mode & 0o777).toString(8);

test('permissions of a socket of Unix: --socket-mode, or what --umask leaves', async () => {
  const file = path.join(folder, 'mode.sock');
  const cases: [string[], string][] = [
    [['--socket-mode', '660'], '660'],
    [['--socket-mode', '0o600', '--umask', '007'], '600'],
    [['--umask', '027'], '750'],
  ];
  for (const [args, mode] of cases) {
    const command = new Command(['--bind', `unix:${file}`, ...args, plain]);
    await command.logged(/Listening at: unix:/);
    assert.equal(modeOf(file), mode, args.join(' '));
    assert.equal(await command.stop(), 0);
    assert.ok(!existsSync(file));
  }
});

test('--umask is that of the workers, too', async () => {
  const command = await Command.start('--umask', '027', plain);
  assert.equal((await command.get('/umask')).body, '27');
  assert.equal(await command.stop(), 0);
});

test('a path that no socket has room for is refused before anything starts', () => {
  const bind = (length: number) => ['app', '--bind', `unix:${'ä'.repeat(length / 2)}`];
  assert.throws(() => parseCommand(bind(108), {}), {
    code: 'ERR_CLI_USAGE',
    message: /has 10[37] bytes at most.*ää has 108\. Take a shorter one/,
  });
  assert.equal(parseCommand(bind(102), {}).action, 'serve');
});

test('a socket that somebody listens on, or a file that is none, is left alone', async () => {
  const file = path.join(folder, 'taken.sock');
  const first = new Command(['--bind', `unix:${file}`, plain]);
  await first.logged(/Listening at: unix:/);
  const second = new Command(['--bind', `unix:${file}`, plain]);
  assert.equal(await second.exit, 1);
  assert.match(second.log, /Cannot listen on unix:.*EADDRINUSE/);
  assert.equal((await get({ socketPath: file, path: '/' })).body, 'hello');
  assert.equal(await first.stop(), 0);
  const other = path.join(folder, 'file');
  writeFileSync(other, 'precious');
  const third = new Command(['--bind', `unix:${other}`, plain]);
  assert.equal(await third.exit, 1);
  assert.ok(existsSync(other));
});

test('a socket that a successor has bound meanwhile is not removed', async () => {
  const file = path.join(folder, 'successor.sock');
  const args = ['--bind', `unix:${file}`, plain];
  const first = new Command(args);
  await first.logged(/Listening at: unix:/);
  rmSync(file);
  const second = new Command(args);
  await second.logged(/Listening at: unix:/);
  assert.equal(await first.stop(), 0);
  assert.equal((await get({ socketPath: file, path: '/' })).body, 'hello');
  assert.equal(await second.stop(), 0);
  assert.ok(!existsSync(file));
});

async function handedOn(where: number | string, args: string[]): Promise<Command> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(where, resolve));
  const command = new Command(args, server);
  await command.logged(/Listening at/);
  // As long as it listens here, too, this process takes connections that are the command's.
  const isFile = typeof where === 'string';
  if (isFile) linkSync(where, `${where}.kept`);
  await new Promise((resolve) => server.close(resolve));
  if (isFile) renameSync(`${where}.kept`, where); // closing has removed it
  return command;
}

test('a socket that is handed on serves, across a reload, without any --bind', async () => {
  const command = await handedOn(0, ['--keep-alive', '0.2', plain]);
  const options = { family: 4 };
  const first = (await command.get('/pid', options)).body;
  assert.equal(first, String(command.bootedPids[0]));
  assert.equal((await command.get('/listen-variables', options)).body, '');
  command.signal('SIGHUP');
  await eventually('a new worker', async () => (await command.get('/pid', options)).body !== first);
  assert.equal(await command.stop(), 0);
});

test('a socket of Unix that is handed on is known by its path, which stays', async () => {
  const file = path.join(folder, 'handed.sock');
  const command = await handedOn(file, ['--bind', 'fd://3', plain]);
  await command.logged(new RegExp(`Listening at: unix:${file}`));
  assert.equal((await get({ socketPath: file, path: '/' })).body, 'hello');
  assert.equal(await command.stop(), 0);
  assert.ok(existsSync(file));
});

test('a descriptor that is none, or no socket that listens, is said to be so', async () => {
  const cases: [string, RegExp][] = [
    ['fd://999', /Cannot listen on fd:\/\/999: there is no such descriptor/],
    ['fd://0', /Cannot listen on fd:\/\/0: the descriptor is no socket/],
    ['fd://1', /Cannot listen on fd:\/\/1: the socket does not listen/],
  ];
  for (const [bind, message] of cases) {
    const command = new Command(['--bind', bind, plain]);
    assert.equal(await command.exit, 1);
    assert.match(command.log, message);
  }
});

test('LISTEN_FDS counts for the process of LISTEN_PID, and gives way to fd://', () => {
  const env = { LISTEN_FDS: '2', LISTEN_PID: String(process.pid) };
  assert.deepEqual(parseCommand(['app', '-b', ':80'], env).settings.bind, ['fd://3', 'fd://4']);
  assert.deepEqual(parseCommand(['app', '-b', 'fd://4'], env).settings.bind, ['fd://4']);
  assert.deepEqual(listenDescriptors(env, process.pid + 1), []);
  assert.deepEqual(listenDescriptors({ LISTEN_PID: String(process.pid) }, process.pid), []);
});

test('connections of a worker are as many as its descriptors allow', async () => {
  assert.equal(shareOf(960, 1, 65_536), 960);
  assert.equal(shareOf(960, 2, 65_536), 480);
  assert.equal(shareOf(960, 2, 100), 100);
  assert.equal(shareOf(1, 2, 100), 1);
  assert.equal(shareOf(Number.POSITIVE_INFINITY, 1, 65_536), 65_536);
  const some = connectionsOfWorker();
  assert.ok(some >= descriptorLimit() / 2 && some <= descriptorLimit() - 24, `${some}`);
  const command = await Command.start('--max-connections', '7', plain);
  assert.match(command.log, /Connections of a worker: up to 7\n/);
  assert.equal(await command.stop(), 0);
});
