/** An ESLint rule that wants files as Prettier lays them out: rules are synchronous, Prettier is not. */
import { wait } from '@tendril/core';
import type { Rule } from 'eslint';
import prettier from 'prettier';

/** Reports and fixes a file that Prettier would lay out otherwise. For `Linter.verify` in a greenlet. */
export const formatted: Rule.RuleModule = {
  meta: { type: 'layout', fixable: 'whitespace', messages: { other: 'Prettier differs.' } },
  create: (context) => ({
    Program(node) {
      const text = context.sourceCode.text;
      const wanted = wait(prettier.format(text, { parser: 'babel' }));
      if (wanted === text) return;
      const fix = (fixer: Rule.RuleFixer) => fixer.replaceTextRange([0, text.length], wanted);
      context.report({ node, messageId: 'other', fix });
    },
  }),
};
