/** A fiber's stack is as deep as the main one, for JavaScript and for native code. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runScript, type ScriptResult } from './helpers/run-script.js';

/** Interpreted alone: how much the optimising compilers make of it differs from run to run. */
const interpreted = ['--no-opt', '--no-sparkplug', '--no-maglev'];

const linesOf = ({ stdout }: ScriptResult) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/: ?/) as [string, string]);
const whole = (result: ScriptResult) => {
  assert.equal(
    result.status,
    0,
    `${result.signal} in ${linesOf(result).at(-1)?.[0]}\n${result.stderr}`,
  );
  return result;
};

describe('a fiber goes as deep as the main stack', () => {
  const depths = (where: string) => {
    const lines = linesOf(whole(runScript('depths.mjs', [where, 'depths'], interpreted)));
    return new Map(lines.map(([name, depth]) => [name, Number(depth)]));
  };
  const main = depths('main');
  const fiber = depths('fiber');
  for (const [name, depth] of main)
    test(`through ${name}`, () => {
      const own = fiber.get(name) as number;
      assert.ok(own >= 0.95 * depth, `${own} in a fiber, ${depth} on the main stack`);
    });
});

describe('native code that recurses comes to the same end as on the main stack', () => {
  // Several rounds: what ends the process there may end it in a fiber, and the rest is tried without it.
  const outcomes = (where: string, crashes: string[] = []) => {
    const known = new Map<string, string>();
    for (let over = false; !over; ) {
      const leftOut = JSON.stringify([...known.keys(), ...crashes]);
      const result = runScript('depths.mjs', [where, 'native', leftOut]);
      const lines = linesOf(result);
      over = result.signal === null;
      if (!over) crashes.push(lines.pop()?.[0] as string);
      else whole(result);
      for (const [name, outcome] of lines) known.set(name, outcome);
    }
    return known;
  };
  const crashes: string[] = [];
  const main = outcomes('main', crashes);
  const own: string[] = [...crashes];
  const fiber = outcomes('fiber', own);
  test('there is no crash that is not one of the main stack', () => assert.deepEqual(own, crashes));
  for (const [name, outcome] of main) test(name, () => assert.equal(fiber.get(name), outcome));
});
