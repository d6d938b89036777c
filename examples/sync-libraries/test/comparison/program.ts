/**
 * `program.js MODE KIND ROOT [LIBRARY]`: the cases of a kind, or one of them, in folders below ROOT:
 * one user after the other (`plain`), or all at once, each in a greenlet (`greenlets`). What users
 * returned stands in ROOT/results.json at the end.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Case, type Cases, described, isSteps, type Result } from './case.js';
import type { Outcome, Results } from './harvest.js';

const users = 50;
/** Milliseconds that stand for "hangs". */
const limit = 200_000;

const [mode, kind, root = '', only] = process.argv.slice(2);

/** Runs what users do to its end, and says how each ended. */
type Perform = (bodies: (() => Result)[]) => Promise<Outcome[]>;

async function awaited(body: () => Result): Promise<Outcome> {
  try {
    const steps = body();
    if (!isSteps(steps)) return { returned: steps };
    let step = steps.next();
    while (!step.done) {
      try {
        step = steps.next(await step.value);
      } catch (error) {
        step = steps.throw(error);
      }
    }
    return { returned: step.value };
  } catch (error) {
    return { threw: described(error) };
  }
}

async function oneAfterTheOther(bodies: (() => Result)[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const body of bodies) outcomes.push(await awaited(body));
  return outcomes;
}

async function inGreenlets(): Promise<Perform> {
  const { joinall, killall, run, spawn, wait, withTimeout } = await import('@tendril/core');
  function parked(body: () => Result): Outcome {
    try {
      const steps = body();
      if (!isSteps(steps)) return { returned: steps };
      let step = steps.next();
      while (!step.done) {
        try {
          step = steps.next(wait(step.value));
        } catch (error) {
          step = steps.throw(error);
        }
      }
      return { returned: step.value };
    } catch (error) {
      return { threw: described(error) };
    }
  }
  return (bodies) =>
    run(() => {
      const greenlets = bodies.map((body) => spawn(parked, body));
      try {
        withTimeout(limit, () => joinall(greenlets));
      } finally {
        killall(greenlets);
      }
      return greenlets.map(({ value }) => value as Outcome);
    });
}

const uncaught: unknown[] = [];

async function use(
  { prepare, user, finish }: Case,
  folder: string,
  perform: Perform,
): Promise<Results> {
  const shared = path.join(folder, 'shared');
  const own = (index: number) => path.join(folder, `user-${index}`);
  mkdirSync(shared, { recursive: true });
  for (let index = 0; index < users; index++) mkdirSync(own(index));
  const once = async (body?: (shared: string) => Result) =>
    body && (await perform([() => body(shared)]))[0];
  const prepared = await once(prepare);
  const outcomes = await perform(
    Array.from({ length: users }, (_, index) => () => user(index, own(index), shared)),
  );
  const finished = await once(finish);
  return { prepared, users: outcomes, finished, uncaught: uncaught.splice(0) };
}

process.on('uncaughtException', (error) => uncaught.push(described(error)));
const { cases } = (await import(`./cases/${kind}.js`)) as { cases: Cases };
const perform = mode === 'greenlets' ? await inGreenlets() : oneAfterTheOther;
const results: Record<string, unknown> = {};
for (const [library, one] of Object.entries(cases)) {
  if (only && library !== only) continue;
  results[library] = await use(one, path.join(root, library), perform).catch(described);
  writeFileSync(path.join(root, 'results.json'), JSON.stringify(results));
}
