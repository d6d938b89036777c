import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { run, wait } from '@tendril/core';
import { Folder } from '../dist/folder.js';
import { SiteError, SiteThread } from '../dist/site-thread.js';

const outer = mkdtempSync(path.join(tmpdir(), 'link-checker-site-'));
after(() => rmSync(outer, { recursive: true }));
const root = path.join(outer, 'root');
mkdirSync(path.join(root, 'docs', 'deep'), { recursive: true });
mkdirSync(path.join(outer, 'root-neighbour'));
writeFileSync(path.join(outer, 'root-neighbour', 'secret.txt'), 'secret');
writeFileSync(path.join(root, 'README.md'), '# Hello');
writeFileSync(path.join(root, 'docs', 'a & "b":<c>#?.txt'), 'odd');
writeFileSync(path.join(root, 'docs', '.hidden'), 'hidden');
symlinkSync('../root-neighbour', path.join(root, 'neighbour'));
symlinkSync('nowhere', path.join(root, 'dangling'));
symlinkSync('..', path.join(root, 'docs', 'circle'));

describe('a folder', () => {
  test('lists its files and folders, but no hidden names and no links that lead out', async () => {
    const folder = await Folder.open(root);
    const top = await folder.find('/?list');
    assert.deepEqual(top, {
      kind: 'listing',
      title: '/',
      hrefs: ['./README.md', './docs/?list'],
    });
    const docs = await folder.find('/docs/?list');
    assert.deepEqual(docs?.kind === 'listing' && docs.hrefs, [
      './a%20%26%20%22b%22%3A%3Cc%3E%23%3F.txt',
      './circle/?list',
      './deep/?list',
    ]);
  });

  for (const [url, location] of [
    ['/', '/README.md'],
    ['/docs', '/docs/?list'],
    ['/docs?list', '/docs/?list'],
    ['/docs/circle/?list', '/?list'],
    ['/docs/circle/README.md', '/README.md'],
  ] as const)
    test(`has one address for ${url}`, async () => {
      const found = await (await Folder.open(root)).find(url);
      assert.deepEqual(found, { kind: 'redirect', location });
    });

  for (const url of [
    '/../root-neighbour/secret.txt',
    '/%2e%2e/root-neighbour/secret.txt',
    '/..%2froot-neighbour%2fsecret.txt',
    '/neighbour/secret.txt',
    '/neighbour/?list',
    '/dangling',
    '/%00',
    '/%',
  ])
    test(`has nothing at ${url}`, async () => {
      assert.equal(await (await Folder.open(root)).find(url), undefined);
    });
});

describe("the site's thread", () => {
  test('serves until it is disposed of', () =>
    run(() => {
      let origin: string;
      {
        using site = new SiteThread({ root, plantedPerKind: 0 });
        origin = site.start();
        const page = wait(fetch(`${origin}/docs/?list`));
        assert.match(wait(page.text()), /href="\.\/a%20%26%20%22b/);
      }
      assert.throws(() => wait(fetch(origin)), /fetch failed/);
    }));

  test('that cannot start says so with a SiteError', () =>
    run(() => {
      using site = new SiteThread({ root: path.join(outer, 'none'), plantedPerKind: 0 });
      assert.throws(
        () => site.start(),
        (error) => error instanceof SiteError && error.code === 'ERR_SITE_DOWN',
      );
    }));
});
