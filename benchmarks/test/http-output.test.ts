import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAb } from '#src/http/ab.js';
import { parseWrk } from '#src/http/wrk.js';
import { show } from '#src/output.js';
import { Samples } from '#src/samples.js';

const wrkOutput = `Running 1s test @ http://127.0.0.1:18234/
  1 threads and 100 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    14.93ms    2.42ms  20.91ms   72.16%
    Req/Sec     6.65k     0.87k    8.07k    99%
  Latency Distribution
     50%   14.47ms
     75%   15.53ms
     90%   18.90ms
     99%   19.97ms
  6609 requests in 1.00s, 496.97KB read
Requests/sec:   6600.43
Transfer/sec:    496.32KB
`;

test('wrk says how many answers a second, and the latency of the slowest', () => {
  assert.deepEqual(parseWrk(wrkOutput), {
    rate: 6600.43,
    p99: 19.97,
    errors: { connect: 0, read: 0, write: 0, timeout: 0, status: 0 },
  });
});

test('latencies of wrk become milliseconds, whatever their unit', () => {
  const p99 = (text: string) => parseWrk(wrkOutput.replace('19.97ms', text)).p99;
  assert.equal(p99('750.00us'), 0.75);
  assert.equal(p99('1.25s '), 1250); // wrk pads units of one letter
  assert.equal(p99('1.00m '), 60_000);
});

test('errors that wrk has seen are counted by their kind', () => {
  const errors = `  Socket errors: connect 1, read 6608, write 3, timeout 4
  Non-2xx or 3xx responses: 5
Requests/sec`;
  assert.deepEqual(parseWrk(wrkOutput.replace('Requests/sec', errors)).errors, {
    connect: 1,
    read: 6608,
    write: 3,
    timeout: 4,
    status: 5,
  });
});

test('a wrk without an answer is an error, not a figure', () => {
  const output = wrkOutput.replace('6600.43', '0.00').replace('19.97ms', '0.00us');
  assert.throws(() => parseWrk(output), /wrk got no answers/);
  assert.throws(() => parseWrk('Running\nunable to connect'), /unable to connect/);
});

const abOutput = `This is ApacheBench, Version 2.3 <$Revision: 1913912 $>
Concurrency Level:      1000
Time taken for tests:   2.345 seconds
Complete requests:      2000
Failed requests:        0
Total transferred:      194000 bytes
Requests per second:    852.88 [#/sec] (mean)
Time per request:       1172.500 [ms] (mean)
`;

test('ab says how long it took and how many were answered', () => {
  assert.deepEqual(parseAb(abOutput), { seconds: 2.345, rate: 852.88, complete: 2000, failed: 0 });
});

test('failures of ab are those without an answer and those with another status', () => {
  const output = abOutput
    .replace('Failed requests:        0', 'Failed requests:        3\n   (Connect: 0, Receive: 3)')
    .replace('Total', 'Non-2xx responses:      4\nTotal');
  assert.equal(parseAb(output).failed, 7);
});

test('an ab that was cut short is an error, not a figure', () => {
  assert.throws(() => parseAb('apr_pollset_poll: The timeout specified has expired'), /timeout/);
});

test('figures with a unit in their name are shown in it', () => {
  assert.equal(show(2.0456, '1 s handlers (s)'), '2.05 s');
  assert.equal(show(1960.4, '0.1 s handlers (requests/s)'), '1960 /s');
  assert.equal(show(12.345, 'hello world, p99 (ms)'), '12.35 ms');
});

test('samples become medians in the order in which they first came', () => {
  const samples = new Samples();
  for (const value of [3, 1, 2]) samples.note('b', 'tendril', value);
  samples.note('a', 'tendril', 7);
  samples.note('b', 'peer', 5);
  assert.deepEqual(samples.results(), [
    { figure: 'b', contestant: 'tendril', median: 2, min: 1, max: 3 },
    { figure: 'b', contestant: 'peer', median: 5, min: 5, max: 5 },
    { figure: 'a', contestant: 'tendril', median: 7, min: 7, max: 7 },
  ]);
});
