import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amount, check, idOf, values } from '#src/adapters/content.js';
import { services } from '#src/adapters/contestants.js';
import { parseReport, quantile } from '#src/adapters/report.js';
import { show } from '#src/output.js';

test('the last line that a client prints is its report', () => {
  const report = { processor: 12_345, rate: 80_000, p99: 1.5 };
  assert.deepEqual(parseReport(`a warning\n${JSON.stringify(report)}\n`), report);
});

test('a client may say that it cannot take part', () => {
  assert.deepEqual(parseReport('{"absent":"no such package"}'), { absent: 'no such package' });
});

test('what is no report is an error, not a figure', () => {
  assert.throws(() => parseReport(''), /no output/);
  assert.throws(() => parseReport('Traceback'), /no report: Traceback/);
  assert.throws(() => parseReport('null'), /no processor/);
  // A client that got no answers at all: JSON has null where a number is none.
  assert.throws(() => parseReport('{"processor":null,"rate":0,"p99":null}'), /no processor/);
  assert.throws(() => parseReport('{"processor":1,"rate":0,"p99":1}'), /no rate/);
});

test('the 99th percentile has a hundredth of the values above it', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  assert.equal(quantile(hundred, 0.99), 100);
  assert.equal(quantile(hundred, 0.5), 51);
  assert.equal(quantile([7], 0.99), 7);
  assert.ok(Number.isNaN(quantile([], 0.99)));
});

test('questions are about all there is, and values have 100 bytes', () => {
  const ids = new Set(Array.from({ length: amount }, (_, n) => idOf(n)));
  assert.equal(ids.size, amount);
  assert.ok(values.every((value) => Buffer.byteLength(value) === 100));
});

test('a wrong answer is told, and an undefined one too', () => {
  assert.doesNotThrow(() => check(true, 1));
  assert.throws(() => check(false, [{ id: 1 }]), /wrong answer: \[{"id":1}\]/);
  assert.throws(() => check(false, undefined), /wrong answer: undefined/);
});

test('jobs have names of their own, and clients of Python only jobs that there are', () => {
  const names = services.flatMap(({ jobs }) => Object.values(jobs).map(({ name }) => name));
  assert.equal(new Set(names).size, names.length);
  for (const { jobs, python } of services)
    for (const key of python.jobs ?? []) assert.ok(key in jobs, key);
});

test('each client has all jobs of its server', async () => {
  for (const { module, jobs } of services) {
    for (const side of ['ours', 'raw']) {
      const client = await import(`#src/adapters/${side}/${module}.js`);
      assert.deepEqual(Object.keys(client.jobs), Object.keys(jobs), `${side} ${module}`);
    }
  }
});

test('rates are shown as such', () => {
  assert.equal(show(80_123.4, 'Redis, GET, rate (queries/s)'), '80123 /s');
  assert.equal(show(80_123.4, 'ZeroMQ, echo, rate (messages/s)'), '80123 /s');
});
