import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median } from '#src/measure.js';
import { markdown, type Result, show, svg } from '#src/output.js';
import { peers } from '#src/peers.js';
import { figures } from '#src/tendril.js';

const results: Result[] = [
  { figure: 'sleep(0)', contestant: 'tendril', median: 500, min: 400, max: 600 },
  { figure: 'sleep(0)', contestant: 'A & B', median: 1250, min: 1200, max: 1300 },
  { figure: 'bytes per parked', contestant: 'tendril', median: 8192, min: 1, max: 9000 },
];

test('the median is the middle, or between the two in the middle', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
});

test('figures are shown in their units', () => {
  assert.equal(show(1234, 'sleep(0)'), '1234 ns');
  assert.equal(show(12_345, 'sleep(0)'), '12.3 us');
  assert.equal(show(8192, 'bytes per parked'), '8.0 KB');
  assert.equal(show(1.5, 'scavenge (ms)'), '1.50 ms');
});

test('the table names each peer with how many times ours it is', () => {
  const table = markdown(results, 'heading');
  assert.match(table, /\| sleep\(0\) \| 500 ns \| A & B 1250 ns \(2\.50\) \|/);
  assert.match(table, /\| bytes per parked \| 8\.0 KB \| – \|/);
});

test('the chart has a bar for each, and escapes names', () => {
  const chart = svg(results, 'title');
  assert.equal(chart.match(/<rect/g)?.length, 2);
  assert.match(chart, /A &amp; B/);
});

test('no peer has a figure that we do not measure', () => {
  for (const own of Object.values(peers))
    for (const figure of Object.keys(own)) assert.ok(figure in figures, figure);
});
