/** The task queue with real processes and a real Redis. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn as spawnProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Service, startService } from '@tendril/adapter-suite';
import { run } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import { createClient } from '@tendril/redis';
import { TaskQueue } from '#src/task-queue.js';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const tasks = fileURLToPath(new URL('../test/fixtures/tasks.mjs', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'tendril-tasks-'));

let service: Service;
let url: string;

before(async () => {
  service = await startService('redis');
  url = `redis://:${service.info.password}@${service.host}:${service.port}`;
});
after(async () => {
  await service.stop();
  rmSync(folder, { recursive: true });
  await checkLeaks();
});

/**
 * `giveUp`: seconds after which a task is taken over; a worker that a busy machine holds up for longer is taken
 * for dead.
 */
function worker(queue: string, notes: string, giveUp: number): ChildProcess {
  const limits = ['--concurrency', '5', '--give-up', `${giveUp}`];
  const options = ['--redis', url, '--queue', queue, ...limits];
  return spawnProcess(process.execPath, [main, ...options, 'work', tasks], {
    env: { ...process.env, NOTES: notes },
    stdio: 'ignore',
  });
}

function withQueue<R>(name: string, use: (queue: TaskQueue) => R): Promise<Awaited<R>> {
  return run(() => {
    const client = createClient({ url });
    client.connect();
    try {
      const queue = new TaskQueue(client, { name });
      queue.prepare();
      return use(queue);
    } finally {
      client.close();
    }
  });
}

/** Payload, process and attempt of every task that was done. */
function read(notes: string): string[][] {
  if (!existsSync(notes)) return [];
  const lines = readFileSync(notes, 'utf8').trimEnd().split('\n');
  return lines.map((line) => line.split(' '));
}

async function until(what: string, holds: () => unknown, limit = 120_000): Promise<void> {
  const deadline = performance.now() + limit;
  while (!(await holds())) {
    if (performance.now() > deadline) assert.fail(`not in time: ${what}`);
    await delay(20);
  }
}

const open = (name: string) => withQueue(name, (queue) => queue.status().open);

test('a worker that is killed loses no task: the others do what it had', async () => {
  const notes = path.join(folder, 'notes');
  let count = 0;
  const put = (more: number) =>
    withQueue('q1', (queue) => {
      for (const end = count + more; count < end; count++) queue.put('note', count);
    });
  const workers = [1, 2, 3].map(() => worker('q1', notes, 3));
  await until('all three take part', async () => {
    await put(50);
    return new Set(read(notes).map(([, pid]) => pid)).size === 3;
  });
  await put(500);
  const [victim] = workers;
  victim?.kill('SIGKILL');
  await until('all are done', async () => (await open('q1')) === 0);
  const done = read(notes);
  assert.equal(new Set(done.map(([payload]) => payload)).size, count, 'each was done');
  const twice = done.length - count;
  assert.ok(twice <= 5, `${twice} were done twice, at most those that the victim was at`);
  for (const each of workers.slice(1)) {
    each.kill('SIGTERM');
    await once(each, 'exit');
  }
  assert.deepEqual(await withQueue('q1', (queue) => queue.status()), {
    open: 0,
    taken: 0,
    dead: 0,
  });
});

test('a task that fails is tried again, and goes to the dead in the end', async () => {
  const notes = path.join(folder, 'failures');
  await withQueue('q2', (queue) => {
    queue.put('flaky', 'x');
    queue.put('broken', 'y');
    queue.put('note', 'z');
  });
  const one = worker('q2', notes, 1);
  await until('the broken one is dead', async () => {
    const { open, dead } = await withQueue('q2', (queue) => queue.status());
    return dead === 1 && open === 1;
  });
  one.kill('SIGTERM');
  await once(one, 'exit');
  const done = read(notes).map(([payload, , attempt]) => `${payload}${attempt}`);
  assert.deepEqual(done.sort(), ['x2', 'z1']);
});

test('the command line: put, status, help, nonsense', async () => {
  const call = async (...args: string[]) => {
    const child = spawnProcess(process.execPath, [main, '--redis', url, '--queue', 'q3', ...args]);
    let text = '';
    child.stdout.on('data', (piece) => {
      text += piece;
    });
    const [code] = await once(child, 'close');
    return { code, text };
  };
  assert.match((await call('put', 'note', '{"a": 1}')).text, /^\d+-\d+\n$/);
  assert.equal((await call('status')).text, '1 open, 0 of them taken, 0 dead\n');
  assert.match((await call('--help')).text, /^usage:/);
  for (const args of [[], ['dance'], ['put', 'x'], ['status', '--attempts', 'x']])
    assert.equal((await call(...args)).code, 2, args.join(' '));
});
