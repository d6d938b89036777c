/** What is filled once: to fill it a second time, meanwhile, does no harm. */
import type { Scope } from './scopes.js';
import type { Node } from './syntax.js';

type TextOf = (node: Node) => string;

/**
 * Whether an assignment is only made where its target is empty: `if (!x) x = …`, `x = x || …`,
 * `if (x) return x; x = …`; or loads a module, which has one.
 *
 * @param above the nodes around it, from the outside
 */
export function isFilled(
  node: Node & { type: 'AssignmentExpression' },
  above: readonly Node[],
  scope: Scope,
  textOf: TextOf,
): boolean {
  const { left, right } = node;
  const target = plain(textOf(left));
  const isTarget = (other: Node): boolean => {
    if (plain(textOf(other)) === target) return true;
    // let found = x; if (found) return found; x = …
    const init = other.type === 'Identifier' ? scope.find(other.name)?.init : undefined;
    return init !== undefined && init.key === undefined && plain(textOf(init.node)) === target;
  };
  if (isLoad(right)) return true;
  if (right.type === 'LogicalExpression' && right.operator !== '&&' && isTarget(right.left))
    return true;
  if (right.type === 'ConditionalExpression') {
    const { test, consequent, alternate } = right;
    if (isTarget(consequent) && saysFull(test, isTarget)) return true;
    if (isTarget(alternate) && saysEmpty(test, isTarget)) return true;
  }
  let inner: Node = node;
  for (const outer of above.toReversed()) {
    if (isGuard(outer, inner, isTarget)) return true;
    inner = outer;
  }
  return false;
}

function isGuard(outer: Node, inner: Node, isTarget: (node: Node) => boolean): boolean {
  switch (outer.type) {
    case 'ConditionalExpression':
    case 'IfStatement':
      if (inner === outer.consequent) return saysEmpty(outer.test, isTarget);
      return inner === outer.alternate && saysFull(outer.test, isTarget);
    case 'LogicalExpression':
      if (inner !== outer.right) return false;
      if (outer.operator === '&&') return saysEmpty(outer.left, isTarget);
      return isTarget(outer.left) || saysFull(outer.left, isTarget);
    case 'BlockStatement': {
      const before = outer.body.slice(0, outer.body.indexOf(inner as never));
      return before.some(
        (one) =>
          one.type === 'IfStatement' && returns(one.consequent) && saysFull(one.test, isTarget),
      );
    }
    default:
      return false;
  }
}

function plain(text: string): string {
  return text.replace(/\s+/g, '').replaceAll('?.', '.');
}

function isLoad(node: Node): boolean {
  if (node.type === 'AwaitExpression') return isLoad(node.argument);
  if (node.type === 'MemberExpression') return isLoad(node.object);
  if (node.type === 'ImportExpression') return true;
  return (
    node.type === 'CallExpression' &&
    node.callee.type === 'Identifier' &&
    node.callee.name === 'require'
  );
}

function returns(node: Node): boolean {
  if (node.type === 'BlockStatement')
    return node.body.some((one) => one.type === 'ReturnStatement');
  return node.type === 'ReturnStatement';
}

/** What stands for "nothing yet". */
function isNothing(node: Node): boolean {
  if (node.type === 'Literal') return !node.value;
  if (node.type === 'Identifier') return node.name === 'undefined';
  if (node.type !== 'UnaryExpression') return false;
  return node.operator === 'void' || (node.operator === '-' && node.argument.type === 'Literal');
}

type Says = (test: Node, isTarget: (node: Node) => boolean) => boolean;

/**
 * What a comparison says of the target: that there is nothing yet, or something. One with the name of a type says
 * both, for it asks on which side of a step the target is: `if (typeof x === 'string') x = parse(x)`.
 */
function compares(test: Node, isTarget: (node: Node) => boolean, says: 'empty' | 'full'): boolean {
  if (test.type !== 'BinaryExpression' || !/^[!=]==?$/.test(test.operator)) return false;
  const meant = test.operator.startsWith('=') ? 'empty' : 'full';
  for (const [one, other] of [
    [test.left, test.right],
    [test.right, test.left],
  ] as [Node, Node][]) {
    if (isTarget(one) && isNothing(other)) return says === meant;
    const isType = one.type === 'UnaryExpression' && one.operator === 'typeof';
    if (isType && isTarget(one.argument) && other.type === 'Literal')
      return says === meant || other.value !== 'undefined';
  }
  return false;
}

const saysEmpty: Says = (test, isTarget) => {
  if (test.type === 'LogicalExpression')
    return saysEmpty(test.left, isTarget) || saysEmpty(test.right, isTarget);
  if (test.type === 'UnaryExpression' && test.operator === '!')
    return isTarget(test.argument) || saysFull(test.argument, isTarget);
  return compares(test, isTarget, 'empty');
};

const saysFull: Says = (test, isTarget) => {
  if (isTarget(test)) return true;
  if (test.type === 'LogicalExpression')
    return saysFull(test.left, isTarget) || saysFull(test.right, isTarget);
  if (test.type === 'UnaryExpression' && test.operator === '!')
    return saysEmpty(test.argument, isTarget);
  return compares(test, isTarget, 'full');
};
