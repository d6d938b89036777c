/** The demonstration itself, small. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { run } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import { asSvg } from '#src/chart.js';
import { readOptions, UsageError } from '#src/options.js';
import { asTable, memoryPerRequest } from '#src/report.js';
import { play, type Round, startUpstream, waits } from '#src/round.js';
import { makeWays } from '#src/ways.js';

const onePage = (waits.command + waits.sleep + waits.upstream) / 1000;
const clients = 20;
const seconds = 3;
const ways = makeWays(import.meta.resolve('@tendril/core/monkey/register'));

/** Plays one of the ways, in a greenlet. */
function round(name: string): Promise<Round> {
  const way = ways.find((one) => one.name === name);
  assert.ok(way);
  return run(() => {
    const { program, url } = startUpstream();
    using _upstream = program;
    const options = { clients, seconds, out: undefined, json: false, help: false };
    return play(way, url, options, () => {});
  });
}

let plain: Promise<Round> | undefined;
/** With nothing added: played once, beside the other. */
function plainRound(): Promise<Round> {
  plain ??= round('plain Node');
  return plain;
}

after(() => checkLeaks());

// Both mostly wait.
describe('the application', { concurrency: true }, () => {
  it('says no word of us', () => {
    for (const name of ['app.cjs', 'page.cjs', 'get-sync.cjs', 'fetcher.cjs']) {
      const text = readFileSync(new URL(`../app/${name}`, import.meta.url), 'utf8');
      assert.doesNotMatch(text, /tendril|greenlet|fiber|await/i);
    }
  });

  it('under plain Node serves one request after the other', { timeout: 600_000 }, async () => {
    const { rate, answered } = await plainRound();
    assert.ok(answered >= 1);
    assert.ok(rate <= 1.5 / onePage, `${rate} pages a second`);
  });

  it('with the flag serves all of them at once', { timeout: 600_000 }, async () => {
    const [flagged, unflagged] = await Promise.all([round('one added flag'), plainRound()]);
    const { rate, median, idle, peak } = flagged;
    // In turns of one page's time, which is longer on a machine that has more to do: then it is so for both.
    const page = Math.max(onePage, 1 / unflagged.rate);
    assert.ok(rate > (clients / page) * 0.3, `${rate} pages a second, ${unflagged.rate} without`);
    assert.ok((median ?? Number.NaN) / 1000 < page * 3, `${median} ms`);
    assert.equal(typeof idle, existsSync('/proc/self/status') ? 'number' : 'undefined');
    assert.equal((peak ?? 0) >= (idle ?? 0), true);
  });
});

const rounds: Round[] = [
  {
    name: 'a',
    answered: 10,
    rate: 1,
    median: 1000,
    slowest: 2000,
    idle: 50e6,
    usual: 50e6,
    peak: 51e6,
  },
  {
    name: 'b',
    answered: 0,
    rate: 0,
    median: undefined,
    slowest: undefined,
    idle: 2e6,
    usual: 2e6,
    peak: 3e6,
  },
  {
    name: 'c',
    answered: 99,
    rate: 120,
    median: 1500,
    slowest: 9000,
    idle: 60e6,
    usual: 80e6,
    peak: 90e6,
  },
];

describe('the report', () => {
  it('is a table', () => {
    const lines = asTable(rounds, 1000).split('\n');
    assert.match(lines[0] ?? '', /^ +pages\/s +of plain +median/);
    assert.match(lines[3] ?? '', /^c +120 +120 x +1\.5 s +9\.0 s +57 MB +86 MB$/);
    assert.equal(lines.at(-1), 'c: 20 KB more for each request in flight, 29 KB at the most');
  });

  it('knows no memory where the system does not tell', () => {
    const [first] = rounds as [Round];
    assert.equal(memoryPerRequest({ ...first, peak: undefined }, 10), undefined);
    assert.match(asTable([{ ...first, idle: undefined, peak: undefined }], 10), / –$/m);
  });

  it('is a chart with a bar for each way', () => {
    const svg = asSvg(rounds, 'title');
    assert.equal(svg.match(/<rect/g)?.length, 3);
    assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  });
});

describe('the command line', () => {
  it('has defaults', () => {
    const { clients: many, seconds: long, out } = readOptions([]);
    assert.deepEqual([many, long, out], [1000, 10, undefined]);
  });

  it('refuses what makes no sense', () => {
    for (const args of [['--clients', '0'], ['--seconds', 'x'], ['--never'], ['word']])
      assert.throws(() => readOptions(args), UsageError, args.join(' '));
  });
});
