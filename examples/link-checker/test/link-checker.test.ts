import assert from 'node:assert/strict';
import { spawn as spawnProcess, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'link-checker-'));
after(() => rmSync(folder, { recursive: true }));

mkdirSync(path.join(folder, 'docs'));
writeFileSync(
  path.join(folder, 'README.md'),
  `# Start here
[good](docs/a.html) [dead](docs/none.md) [anchor](docs/a.html#here) [lost](docs/a.html#gone)
[self](#start-here) [mail](mailto:a@b) [spaces](docs/with%20space.md) ![image](missing.png)
[outside](/../../etc/passwd) [link out](docs/out)`,
);
writeFileSync(
  path.join(folder, 'docs', 'a.html'),
  '<h1 id="here">A</h1><a href="../README.md">up</a>',
);
writeFileSync(path.join(folder, 'docs', 'with space.md'), '[also dead](nothing.html)');
symlinkSync('/etc', path.join(folder, 'docs', 'out'));

function check(...args: string[]) {
  return spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', timeout: 300_000 });
}

describe('a folder', () => {
  test('has exactly its dead links reported', () => {
    const { stdout, status } = check(folder, '--json');
    const report = JSON.parse(stdout);
    const found = report.links.map(
      ({ link, reason }: { link: string; reason: string }) => `${reason} ${link}`,
    );
    assert.deepEqual(found.sort(), [
      '404 /../../etc/passwd',
      '404 docs/none.md',
      '404 docs/out',
      '404 missing.png',
      '404 nothing.html',
      'no #gone docs/a.html#gone',
    ]);
    assert.equal(report.complete, true);
    assert.equal(report.cleanedUp, true);
    assert.equal(status, 0);
  });

  test('makes --strict exit with 1', () => assert.equal(check(folder, '--strict').status, 1));

  test('is reported in plain lines when piped', () => {
    const { stdout, stderr } = check(folder);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is the point
    assert.doesNotMatch(stdout + stderr, /[\x00-\x09\x0b-\x1f]/);
    assert.match(stdout, /Broken links by page[\s\S]*\/README\.md {2}\(5\)/);
    assert.match(stdout, /peak \d+ greenlets, \d+ MB/);
  });
});

describe('wrong usage', () => {
  for (const args of [['--concurrency', '0'], ['--what'], ['http://'], ['a', 'b']])
    test(`${args.join(' ')} exits with 2 and says why`, () => {
      const { status, stderr } = check(...args);
      assert.equal(status, 2);
      assert.match(stderr, /usage: link-checker/);
    });
  test('a folder that is not there is told in one line, with 2', () => {
    const { status, stderr } = check('nowhere-at-all');
    assert.deepEqual(
      [status, stderr],
      [2, 'nowhere-at-all is neither a folder nor an http(s) URL\n'],
    );
  });
  test('--help tells all options', () => {
    const { status, stdout } = check('--help');
    assert.equal(status, 0);
    assert.match(stdout, /--strict/);
  });
});

describe('the demonstration', () => {
  test('keeps what was planted when a limit cuts off real files', () => {
    const { planted, requests } = JSON.parse(check('--json', '--max-pages', '300').stdout);
    assert.equal(requests, 300);
    assert.deepEqual(planted, { planted: 60, found: 60, missed: [], invented: [] });
  });

  test('finds every planted dead link and invents none', () => {
    const { stdout, status } = check('--json');
    const { planted, peakGreenlets, requests, pages } = JSON.parse(stdout);
    assert.deepEqual(planted, { planted: 60, found: 60, missed: [], invented: [] });
    assert.ok(peakGreenlets > 100);
    assert.ok(requests > 3000 && requests <= 10_000, `${requests} requests`);
    assert.ok(pages > 500, `${pages} pages`);
    assert.equal(status, 0);
  });

  test('stopped by Ctrl-C kills the greenlets, runs their finally blocks and reports', async () => {
    const child = spawnProcess(process.execPath, [program], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    // The first progress line says that requests are under way.
    child.stderr.once('data', () => child.kill('SIGINT'));
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(code, 130);
    assert.match(output, /PARTIAL REPORT/);
    assert.match(output, /, 0 invented/);
    const [, finished, made] = /stopped; (\d+) of (\d+) requests cleaned up/.exec(output) ?? [];
    assert.ok(finished && finished === made && Number(made) > 0, output.slice(-300));
  });
});
