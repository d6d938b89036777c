/** JavaScript as a tree. The parser is loaded when the first package is looked at. */
import { createRequire } from 'node:module';
import type * as Acorn from 'acorn';

export type Node = Acorn.AnyNode;
export type FunctionNode =
  | Acorn.FunctionDeclaration
  | Acorn.FunctionExpression
  | Acorn.AnonymousFunctionDeclaration
  | Acorn.ArrowFunctionExpression;

const require = createRequire(import.meta.url);

/**
 * A `.js` file is one or the other: what Node takes it for stands in a package.json, and costs more to find than
 * to try.
 * @throws SyntaxError of the parser
 */
export function parse(file: string, text: string): Acorn.Program {
  const acorn = require('acorn') as typeof Acorn;
  const read = (sourceType: 'commonjs' | 'module') =>
    acorn.parse(text, { ecmaVersion: 'latest', sourceType });
  if (file.endsWith('.mjs')) return read('module');
  try {
    return read('commonjs');
  } catch (error) {
    if (file.endsWith('.cjs')) throw error;
    return read('module');
  }
}

export function isFunction(node: Node): node is FunctionNode {
  return (
    node.type === 'FunctionDeclaration' ||
    node.type === 'FunctionExpression' ||
    node.type === 'ArrowFunctionExpression'
  );
}

function isNode(value: unknown): value is Node {
  return typeof (value as Node | null)?.type === 'string';
}

/** In the order in which they stand in the text, but for few. */
export function childrenOf(node: Node): Node[] {
  const children: Node[] = [];
  for (const key in node) {
    const value: unknown = node[key as never];
    if (typeof value !== 'object' || value === null) continue;
    if (Array.isArray(value)) {
      for (const each of value) if (isNode(each)) children.push(each);
    } else if (isNode(value)) children.push(value);
  }
  return children;
}

/** The property that a member expression takes, where its name stands there. */
export function keyOf(node: Node): string | undefined {
  if (node.type !== 'MemberExpression') return undefined;
  const { property, computed } = node;
  if (!computed) return property.type === 'Identifier' ? property.name : '#';
  return property.type === 'Literal' && typeof property.value === 'string'
    ? property.value
    : undefined;
}
