/** The demonstration, made small: what is said of it must hold. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startService } from '@tendril/adapter-suite';
import type { Experience, Stage } from '#src/crowd.js';
import type { Round } from '#src/round.js';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const small = '--clients 100 --limit 40 --seconds 1 --warm-up 0.5 --degraded 1000'.split(' ');

function demonstrate(args: string[], env: NodeJS.ProcessEnv = {}): Promise<{ stdout: string }> {
  return promisify(execFile)(process.execPath, [main, ...args], {
    env: { ...process.env, ...env },
  });
}

/** @returns what the figures are wrong in, if in anything */
function check(rounds: Round[]): string | undefined {
  assert.equal(rounds.length, 2);
  const [free, limited] = rounds.map(({ stages }) => stages) as [Stage[], Stage[]];
  for (const stages of [free, limited]) {
    assert.deepEqual(
      stages.map(({ stage }) => stage),
      ['before', 'degraded', 'after'],
    );
    for (const { looking, buying } of stages) {
      assert.ok(looking.count > 0);
      assert.equal(looking.failed + buying.failed, 0);
    }
  }
  const during = (stages: Stage[]) => (stages[1] as Stage).looking as Experience;
  assert.ok((free[1] as Stage).buying.p50 >= 1000, 'the third party is slow');
  if (during(free).p50 >= 500) return `others do not wait for it: ${during(free).p50} ms`;
  if (during(limited).p99 <= 1.5 * during(free).p99)
    return `with a limit they do: ${during(limited).p99} ms, without ${during(free).p99} ms`;
  return undefined;
}

test('with PostgreSQL in WebAssembly and no cache', async () => {
  // What others do on the machine meanwhile is in the figures; what is wrong in the shop is in all of them.
  let wrong: string | undefined;
  for (let attempt = 0; attempt < 5; attempt++) {
    const { stdout } = await demonstrate([...small, '--json']);
    wrong = check(JSON.parse(stdout) as Round[]);
    if (!wrong) return;
  }
  assert.fail(wrong);
});

test('with a real PostgreSQL and a cache in Redis; as a table', async () => {
  const [postgres, redis] = await Promise.all([startService('postgres'), startService('redis')]);
  try {
    const { user, password, host, port } = postgres.info;
    const env = {
      DATABASE_URL: `postgres://${user}:${password}@${host}:${port}/postgres`,
      REDIS_URL: `redis://:${redis.info.password}@${redis.host}:${redis.port}`,
    };
    const { stdout } = await demonstrate(small, env);
    const lines = stdout.trimEnd().split('\n');
    assert.equal(lines.length, 7);
    assert.match(lines[0] as string, /^ +stage +pages\/s +p50 +p99 +check-outs\/s/);
    assert.match(lines[1] as string, /^greenlets +before +\d+ +\d+ ms/);
    assert.match(lines[5] as string, /^ +degraded +/);
  } finally {
    await Promise.all([postgres.stop(), redis.stop()]);
  }
});

test('--help helps, and nonsense is refused with 2', async () => {
  assert.match((await demonstrate(['--help'])).stdout, /^usage: npm run demo -- service/);
  for (const args of [['--clients', 'many'], ['--nonsense'], ['--seconds', '-1']])
    await assert.rejects(demonstrate(args), { code: 2 });
});
