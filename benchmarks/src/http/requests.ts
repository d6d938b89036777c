/** The scenarios of requests and answers, each under 100 connections from wrk. */
import { isDeepStrictEqual } from 'node:util';
import type { Samples } from '../samples.js';
import type { HttpServer, Job } from './contestants.js';
import { ServerProcess } from './server-process.js';
import { hello, large, payload } from './servers/content.js';
import { wrk } from './wrk.js';

interface Scenario {
  name: string;
  job: Job;
  path: string;
  script?: string;
  body?: string;
  right(answer: string): boolean;
}

const isHello = (answer: string) => answer === hello;
const whole = large.toString();

export const scenarios: Scenario[] = [
  { name: 'hello world', job: 'hello', path: '/hello', right: isHello },
  {
    name: '1 KiB of JSON',
    job: 'json',
    path: '/json',
    right: (answer) => answer.length === 1024 && isDeepStrictEqual(JSON.parse(answer), payload),
  },
  {
    name: '64 KiB in',
    job: 'in',
    path: '/length',
    script: 'post.lua',
    body: whole,
    right: (answer) => answer === String(whole.length),
  },
  { name: '64 KiB out', job: 'out', path: '/large', right: (answer) => answer === whole },
  {
    name: 'hello world, 16 pipelined',
    job: 'pipelined',
    path: '/hello',
    script: 'pipeline.lua',
    right: isHello,
  },
];

const connections = 100;

/** A fast wrong answer is worth nothing. */
async function check(url: string, { body, right }: Scenario): Promise<void> {
  const headers = { 'Content-Type': 'application/octet-stream' };
  const response = await fetch(url, body === undefined ? {} : { method: 'POST', body, headers });
  const answer = await response.text();
  if (response.status !== 200 || !right(answer))
    throw new Error(`wrong answer: ${response.status} ${answer.slice(0, 100)}`);
}

export async function measureRequests(
  samples: Samples,
  server: HttpServer,
  scenario: Scenario,
  seconds: number,
): Promise<void> {
  const running = await ServerProcess.start(server);
  try {
    const url = running.url(scenario.path);
    await check(url, scenario);
    const load = { url, connections, script: scenario.script };
    await wrk({ ...load, seconds: Math.ceil(seconds / 2) }); // warms the server up
    const before = running.processorTime();
    const { rate, p99, errors } = await wrk({ ...load, seconds });
    const spent = running.processorTime() - before;
    if (server.closes) errors.read = 0;
    const failures = Object.entries(errors).filter(([, count]) => count > 0);
    if (failures.length > 0) throw new Error(`wrk: ${failures.join('; ')}`);
    samples.note(`${scenario.name}, per request`, server.name, 1e9 / rate);
    const each = (spent * 1000) / (rate * seconds);
    samples.note(`${scenario.name}, processor time`, server.name, each);
    // wrk adds the latencies of requests that it would have sent while it waited; it is far off where
    // they go out sixteen at a time.
    if (scenario.job !== 'pipelined' && p99 > 0)
      samples.note(`${scenario.name}, p99 (ms)`, server.name, p99);
  } finally {
    await running.stop();
  }
}
