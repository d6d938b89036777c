/** A Babel plugin that lays out the CSS in css`…` templates with Prettier, which only has promises. */
import type { PluginObj } from '@babel/core';
import { wait } from '@tendril/core';
import prettier from 'prettier';

/** For `transformSync` in a greenlet. */
export function formatCssTemplates(): PluginObj {
  return {
    visitor: {
      TaggedTemplateExpression({ node }) {
        const [quasi] = node.quasi.quasis;
        if (node.tag.type !== 'Identifier' || node.tag.name !== 'css' || !quasi) return;
        if (node.quasi.quasis.length > 1) return;
        const formatted = wait(prettier.format(quasi.value.raw, { parser: 'css' })).trimEnd();
        quasi.value = { raw: formatted, cooked: formatted };
      },
    },
  };
}
