/** Where an expression leads: to what lives as long as its module, or to what a call has for itself. */
import { builtinModules } from 'node:module';
import type { Binding, Scope } from './scopes.js';
import { keyOf, type Node } from './syntax.js';

export interface Path {
  /** Where it begins: at `this` of an object that the module has made for itself, at a name, or at the global object. */
  readonly begin: 'this' | Binding | undefined;
  /** Its last property, if it has any. */
  readonly key?: string | undefined;
  /** Somewhere it takes one of many, by a name that is computed: an entry of a table. */
  readonly isEntry: boolean;
}

/** So many names may stand for each other. */
const deepest = 20;

/** Undefined for what a call has for itself, as far as that can be seen. */
export function pathOf(node: Node, scope: Scope, depth = 0): Path | undefined {
  if (depth > deepest) return undefined;
  if (node.type === 'ChainExpression') return pathOf(node.expression, scope, depth);
  if (node.type === 'MemberExpression')
    return along(pathOf(node.object, scope, depth + 1), keyOf(node));
  if (node.type === 'ThisExpression')
    return scope.self?.ofModule ? { begin: 'this', isEntry: false } : undefined;
  if (node.type !== 'Identifier') return undefined;
  const { name } = node;
  const binding = scope.find(name);
  if (!binding && name !== 'globalThis' && name !== 'global') return undefined;
  if (!binding || binding.ofModule) return { begin: binding, isEntry: false };
  // const { state } = common, or const state = common.state, within the function
  const { init, isConstant } = binding;
  if (!init || !isConstant) return undefined;
  const path = pathOf(init.node, init.scope, depth + 1);
  return init.key === undefined ? path : along(path, init.key || undefined);
}

function along(path: Path | undefined, key: string | undefined): Path | undefined {
  return path && { ...path, key, isEntry: path.isEntry || key === undefined };
}

const builtins = new Set([...builtinModules, ...builtinModules.map((name) => `node:${name}`)]);

/** Node's own objects belong to the process: what is set there is no state of a package. */
export function isOfNode({ begin }: Path): boolean {
  if (begin === undefined || begin === 'this') return false;
  const { source, init, name } = begin;
  const module = source ?? (init && moduleIn(init.node));
  return module === undefined ? name === 'process' : builtins.has(module);
}

/** The module that `require('…')` names, in the midst of whatever is made of it. */
export function moduleIn(node: Node): string | undefined {
  if (node.type === 'MemberExpression') return moduleIn(node.object);
  if (node.type !== 'CallExpression') return undefined;
  const [argument] = node.arguments;
  if (node.callee.type === 'Identifier' && node.callee.name === 'require')
    return argument?.type === 'Literal' ? String(argument.value) : undefined;
  return argument && moduleIn(argument);
}

/** The module that a node loads, as it names it. */
export function requestOf(node: Node): string | undefined {
  switch (node.type) {
    case 'CallExpression':
      return node.callee.type === 'Identifier' && node.callee.name === 'require'
        ? moduleIn(node)
        : undefined;
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
    case 'ImportDeclaration':
    case 'ImportExpression':
      return node.source?.type === 'Literal' ? String(node.source.value) : undefined;
    default:
      return undefined;
  }
}
