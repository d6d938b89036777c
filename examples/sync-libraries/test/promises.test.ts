/** Synchronous plug-ins of real libraries, that wait for promises. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { transformSync } from '@babel/core';
import { joinall, spawn } from '@tendril/core';
import { Linter } from 'eslint';
import { formatCssTemplates } from '#src/babel-plugin-format.js';
import { formatted } from '#src/eslint-rule-formatted.js';
import { compileTheme, renderTheme } from '#src/theme.js';
import { inGreenlet, later, leaveNothing, turnsOfAnother } from './helpers.js';

leaveNothing();

/** Runs `count` calls at once and compares them with the same one after the other. */
function sameAtOnce<T>(count: number, call: (index: number) => T): T[] {
  const indexes = Array.from({ length: count }, (_, index) => index);
  const alone = indexes.map(call);
  const greenlets = indexes.map((index) => spawn(call, index));
  joinall(greenlets, { raiseError: true });
  assert.deepEqual(
    greenlets.map(({ value }) => value),
    alone,
  );
  return alone;
}

describe('Sass', () => {
  const width = (index: number) => (name: string) =>
    later((index * 7) % 20, `$${name}: ${index}px;`);

  test(
    'compiles with importers that wait, twenty at once',
    inGreenlet(() => {
      const [, , third] = sameAtOnce(20, (index) =>
        compileTheme(
          `@use 'part:a'; @use 'part:b'; .n${index} { width: a.$a + b.$b; }`,
          width(index),
        ),
      );
      assert.equal(third, '.n2 {\n  width: 4px;\n}');
    }),
  );

  test(
    'renderSync, with the importers of old, too',
    inGreenlet(() => {
      const [, , third] = sameAtOnce(20, (index) =>
        renderTheme(`@import 'a'; .n${index} { width: $a; }`, width(index)),
      );
      assert.equal(third, '.n2 {\n  width: 2px;\n}');
    }),
  );

  test(
    'a part that cannot be had is an error of the compiler',
    inGreenlet(() => {
      assert.throws(
        () => compileTheme("@use 'part:a'", () => Promise.reject(new Error('the service is away'))),
        /the service is away/,
      );
    }),
  );
});

test(
  'a Babel plugin waits for an asynchronous formatter',
  inGreenlet(() => {
    const source = (index: number) => `const box = css\`a{width:${index}px;color:red}\`;`;
    const transform = (index: number) =>
      transformSync(source(index), {
        plugins: [formatCssTemplates],
        configFile: false,
        babelrc: false,
      })?.code;
    const [, second] = sameAtOnce(10, transform);
    assert.equal(second, 'const box = css`a {\n  width: 1px;\n  color: red;\n}`;');
    assert.ok(turnsOfAnother(() => sameAtOnce(10, transform)) > 0);
  }),
);

test(
  'an ESLint rule waits for an asynchronous formatter',
  inGreenlet(() => {
    const linter = new Linter();
    const config = {
      plugins: { house: { rules: { formatted } } },
      rules: { 'house/formatted': 'error' as const },
    };
    const fix = (index: number) => {
      const { output, fixed } = linter.verifyAndFix(`const a=${index}`, config);
      return [output, fixed];
    };
    const [, second] = sameAtOnce(1, fix).concat([fix(1)]);
    assert.deepEqual(second, ['const a = 1;\n', true]);
    assert.deepEqual(linter.verify('const a = 1;\n', config), []);
  }),
);
