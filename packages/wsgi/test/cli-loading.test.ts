/** Applications whose modules are never done with loading. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { Command, eventually, runCommand } from './cli-harness.js';

const folder = mkdtempSync(path.join(tmpdir(), 'tendril-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const good = (word: string) =>
  `export default (environ, start) => { start('200 OK', []); return ['${word}']; };`;
const endless = { waits: 'await new Promise(() => {});', loops: 'for (;;);' };

for (const [how, code] of Object.entries(endless)) {
  test(`a module that ${how} for ever is given up, named, and tried again`, async () => {
    const app = path.join(folder, `${how}.mjs`);
    writeFileSync(app, code);
    const command = new Command(['-b', '127.0.0.1:0', '--load-timeout', '3', app]);
    await command.logged(/\[CRITICAL\] Worker \(pid:\d+\) has not loaded .* within 3 s/);
    assert.ok(command.log.includes(`has not loaded ${app} within`), command.log);
    writeFileSync(app, good('done'));
    assert.equal((await command.get('/')).body, 'done');
    assert.equal(await command.stop(), 0);
  });

  test(`a reload that ${how} for ever leaves the old workers, and the next HUP recovers`, async () => {
    const app = path.join(folder, `${how}-later.mjs`);
    writeFileSync(app, good('one'));
    const command = new Command(['-b', '127.0.0.1:0', '--load-timeout', '0', app]);
    await command.logged(/Listening at/);
    assert.equal((await command.get('/')).body, 'one');
    writeFileSync(app, code);
    command.signal('SIGHUP');
    await eventually('a worker that loads', () => command.bootedPids.length === 2);
    assert.equal((await command.get('/')).body, 'one');
    writeFileSync(app, good('two'));
    command.signal('SIGHUP');
    await eventually('new code', async () => (await command.get('/')).body === 'two');
    assert.equal(await command.stop(), 0);
  });
}

test('a reload that does not load in time is given up', async () => {
  const app = path.join(folder, 'reload.mjs');
  writeFileSync(app, good('one'));
  const command = new Command(['-b', '127.0.0.1:0', '--load-timeout', '3', app]);
  await command.logged(/Listening at/);
  assert.equal((await command.get('/')).body, 'one');
  writeFileSync(app, endless.waits);
  command.signal('SIGHUP');
  await command.logged(/the reload is given up, the old workers stay/);
  assert.equal((await command.get('/')).body, 'one');
  assert.equal(await command.stop(), 0);
});

test('--preload and --check-config end when the module waits for ever', async () => {
  const app = path.join(folder, 'preload.mjs');
  writeFileSync(app, endless.waits);
  const message =
    /Module ".*preload\.mjs" has not loaded within 0\.2 s, the limit of --load-timeout/;
  const checked = runCommand('--check-config', '--load-timeout', '0.2', app);
  assert.equal(checked.status, 1);
  assert.match(checked.err, message);
  const command = new Command(['-b', '127.0.0.1:0', '--preload', '--load-timeout', '0.2', app]);
  assert.equal(await command.exit, 3);
  assert.match(command.log, message);
});
