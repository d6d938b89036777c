#!/usr/bin/env node
/**
 * Customers, in a process of their own: some look at products, some check out, one request after the other
 * with a moment of thought between. Settings come as JSON in the first argument. Prints, for each stage, a line of
 * JSON with the latencies of each kind; a line `begin NAME` on standard input starts a stage, `end` ends
 * them.
 */
import http from 'node:http';
import readline from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { productCount } from './schema.js';

export interface CrowdSettings {
  port: number;
  looking: number;
  buying: number;
  /** Milliseconds between an answer and the next request. */
  thought: number;
}

/** What the customers of one kind had in one stage. Milliseconds. */
export interface Experience {
  count: number;
  failed: number;
  p50: number;
  p99: number;
}

export interface Stage {
  stage: string;
  seconds: number;
  looking: Experience;
  buying: Experience;
}

const settings = JSON.parse(process.argv[2] ?? '{}') as CrowdSettings;
const agent = new http.Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

type Kind = 'looking' | 'buying';
let times: Record<Kind, number[]> = { looking: [], buying: [] };
let failed: Record<Kind, number> = { looking: 0, buying: 0 };
let since = 0;
let stage = '';

function ask(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    http
      .get({ port: settings.port, host: '127.0.0.1', path, agent }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode === 200));
      })
      .on('error', () => resolve(false));
  });
}

async function customer(kind: Kind): Promise<never> {
  await delay(Math.random() * settings.thought);
  for (;;) {
    const id = 1 + Math.floor(Math.random() * productCount);
    const begun = performance.now();
    const fine = await ask(kind === 'looking' ? `/product/${id}` : `/checkout/${id}`);
    if (fine) times[kind].push(performance.now() - begun);
    else failed[kind]++;
    await delay(settings.thought * (0.5 + Math.random()));
  }
}

function experience(kind: Kind): Experience {
  const sorted = Float64Array.from(times[kind]).sort();
  const at = (part: number) => Math.round(sorted[Math.floor(sorted.length * part)] ?? 0);
  return { count: sorted.length, failed: failed[kind], p50: at(0.5), p99: at(0.99) };
}

function finish(): void {
  if (stage) {
    const seconds = (performance.now() - since) / 1000;
    const told: Stage = {
      stage,
      seconds,
      looking: experience('looking'),
      buying: experience('buying'),
    };
    console.log(JSON.stringify(told));
  }
  times = { looking: [], buying: [] };
  failed = { looking: 0, buying: 0 };
  since = performance.now();
}

for (let i = 0; i < settings.looking; i++) void customer('looking');
for (let i = 0; i < settings.buying; i++) void customer('buying');
for await (const line of readline.createInterface({ input: process.stdin })) {
  finish();
  stage = line.startsWith('begin ') ? line.slice('begin '.length) : '';
}
finish();
process.exit(0);
