/** Which names of a module stand for what: what lives as long as the module, and what a call has for itself. */
import type { FunctionNode, Node } from './syntax.js';
import { childrenOf, isFunction } from './syntax.js';

export interface Binding {
  readonly name: string;
  /** It is there once, for all calls. */
  readonly ofModule: boolean;
  /** What it begins as: an expression, and with destructuring the property of it. Undefined for a parameter. */
  readonly init?: { readonly node: Node; readonly scope: Scope; readonly key?: string | undefined };
  /** The module that an import statement names. */
  readonly source?: string;
  /** It has one value for good. */
  isConstant: boolean;
}

export class Scope {
  readonly outer: Scope | undefined;
  /** Run once, when the module is loaded. */
  readonly ofModule: boolean;
  readonly #isBlock: boolean;
  readonly #bindings = new Map<string, Binding>();

  constructor(outer: Scope | undefined, ofModule: boolean, isBlock = false) {
    this.outer = outer;
    this.ofModule = ofModule;
    this.#isBlock = isBlock;
  }

  /** Where `var` puts its names. */
  get ofFunction(): Scope {
    return this.#isBlock && this.outer ? this.outer.ofFunction : this;
  }

  declare(name: string, more: Partial<Binding> = {}): void {
    const before = this.#bindings.get(name) ?? { name, ofModule: this.ofModule, isConstant: true };
    const isConstant = before.isConstant && !(before.init && more.init);
    this.#bindings.set(name, { ...before, ...more, isConstant });
  }

  find(name: string): Binding | undefined {
    return this.#bindings.get(name) ?? this.outer?.find(name);
  }
}

/** The names that a pattern makes, each with the property that it takes where that is plain. */
export function* namesIn(
  pattern: Node | null | undefined,
  key?: string,
): Generator<[name: string, key: string | undefined]> {
  switch (pattern?.type) {
    case 'Identifier':
      yield [pattern.name, key];
      break;
    case 'ObjectPattern':
      for (const part of pattern.properties)
        if (part.type === 'RestElement') yield* namesIn(part.argument, '');
        else yield* namesIn(part.value, keyOf(part.key, part.computed));
      break;
    case 'ArrayPattern':
      for (const part of pattern.elements) yield* namesIn(part, '');
      break;
    case 'AssignmentPattern':
      yield* namesIn(pattern.left, key);
      break;
    case 'RestElement':
      yield* namesIn(pattern.argument, '');
  }
}

function keyOf(key: Node, computed: boolean): string {
  if (key.type === 'Identifier' && !computed) return key.name;
  return key.type === 'Literal' ? String(key.value) : '';
}

/** What bundlers and module loaders call with the modules in functions. */
const wrappers = /^(define|__(commonJS|esm)(Min)?)$/;
/** A function around module code: called where it stands, or handed to what calls it once. */
function runsAtLoad(node: FunctionNode, above: readonly Node[]): boolean {
  let at = above.length - 1;
  const outer = above[at];
  if (outer?.type === 'CallExpression' && outer.callee === node) return true;
  // (function () {}).call(this)
  if (outer?.type === 'MemberExpression') {
    const call = above[at - 1];
    return call?.type === 'CallExpression' && call.callee === outer;
  }
  const names = node.params.flatMap((parameter) => [...namesIn(parameter)].map(([name]) => name));
  if (names.includes('__webpack_require__')) return true;
  if (names.includes('module') && names.includes('exports')) return true;
  if (outer?.type === 'Property') at -= 2;
  const call = above[at];
  if (call?.type !== 'CallExpression') return false;
  return (
    isFunction(call.callee) ||
    (call.callee.type === 'Identifier' && wrappers.test(call.callee.name))
  );
}

const blocks = new Set([
  'BlockStatement',
  'CatchClause',
  'ForInStatement',
  'ForOfStatement',
  'ForStatement',
  'StaticBlock',
  'SwitchStatement',
]);

/** The scopes of a module, by the nodes that make them. */
export function scopesOf(program: Node): Map<Node, Scope> {
  const top = new Scope(undefined, true);
  top.declare('module');
  top.declare('exports');
  const scopes = new Map<Node, Scope>([[program, top]]);
  const assigned: [string, Scope][] = [];
  const above: Node[] = [program];

  const enter = (node: Node, scope: Scope): Scope => {
    if (isFunction(node)) {
      const { id, type } = node;
      const init = { node, scope };
      const inner = new Scope(scope, scope.ofModule && runsAtLoad(node, above));
      if (id && type === 'FunctionDeclaration') scope.declare(id.name, { init });
      if (id && type === 'FunctionExpression') inner.declare(id.name, { init });
      for (const parameter of node.params)
        for (const [name] of namesIn(parameter)) inner.declare(name);
      return inner;
    }
    if (blocks.has(node.type)) {
      const inner = new Scope(scope, scope.ofModule, true);
      if (node.type === 'CatchClause')
        for (const [name] of namesIn(node.param)) inner.declare(name);
      return inner;
    }
    switch (node.type) {
      case 'ClassDeclaration':
        if (node.id) scope.declare(node.id.name, { init: { node, scope } });
        break;
      case 'VariableDeclaration': {
        const to = node.kind === 'var' ? scope.ofFunction : scope;
        for (const { id, init } of node.declarations)
          for (const [name, key] of namesIn(id))
            to.declare(name, init ? { init: { node: init, scope, key } } : {});
        break;
      }
      case 'ImportDeclaration':
        for (const { local } of node.specifiers)
          scope.declare(local.name, { source: String(node.source.value) });
        break;
      case 'AssignmentExpression':
        for (const [name] of namesIn(node.left)) assigned.push([name, scope]);
    }
    return scope;
  };
  const walk = (node: Node, outer: Scope): void => {
    const scope = enter(node, outer);
    if (scope !== outer) scopes.set(node, scope);
    above.push(node);
    for (const child of childrenOf(node)) walk(child, scope);
    above.pop();
  };
  for (const child of childrenOf(program)) walk(child, top);

  for (const [name, scope] of assigned) {
    const binding = scope.find(name);
    if (binding) binding.isConstant = false;
  }
  return scopes;
}
