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

/** What `this` is in the methods of a class. */
interface Self {
  /** One object, that lives as long as the module: the class itself, or the instance that the module has made. */
  ofModule: boolean;
}

interface Kind {
  /** Run once, when the module is loaded. */
  readonly ofModule: boolean;
  readonly isBlock?: boolean;
  /** Undefined where it is that of the scope around it. */
  readonly self?: Self;
}

export class Scope {
  readonly outer: Scope | undefined;
  readonly ofModule: boolean;
  readonly #kind: Kind;
  readonly #bindings = new Map<string, Binding>();

  constructor(outer: Scope | undefined, kind: Kind) {
    this.outer = outer;
    this.ofModule = kind.ofModule;
    this.#kind = kind;
  }

  /** Where `var` puts its names. */
  get ofFunction(): Scope {
    return this.#kind.isBlock && this.outer ? this.outer.ofFunction : this;
  }

  get self(): Self | undefined {
    return this.#kind.self ?? this.outer?.self;
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
  return new Builder(program).scopes;
}

class Builder {
  readonly scopes = new Map<Node, Scope>();
  /** The nodes around the one at hand, from the outside. */
  readonly #above: Node[] = [];
  readonly #assigned: [name: string, scope: Scope][] = [];
  /** What the module makes instances of. */
  readonly #made: [maker: Node, scope: Scope][] = [];
  readonly #selves = new Map<Node, Self>();

  constructor(program: Node) {
    const top = new Scope(undefined, { ofModule: true });
    top.declare('module');
    top.declare('exports');
    this.scopes.set(program, top);
    this.#above.push(program);
    for (const child of childrenOf(program)) this.#build(child, top);

    for (const [name, scope] of this.#assigned) {
      const binding = scope.find(name);
      if (binding) binding.isConstant = false;
    }
    for (const [maker, scope] of this.#made) {
      const made = maker.type === 'Identifier' ? scope.find(maker.name)?.init?.node : maker;
      const self = made && this.#selves.get(made);
      if (self) self.ofModule = true;
    }
  }

  #build(node: Node, outer: Scope): void {
    const scope = this.#scopeOf(node, outer) ?? outer;
    if (scope === outer) this.#declare(node, scope);
    else this.scopes.set(node, scope);
    this.#above.push(node);
    for (const child of childrenOf(node)) this.#build(child, scope);
    this.#above.pop();
  }

  /** Its own, if it has one. */
  #scopeOf(node: Node, outer: Scope): Scope | undefined {
    if (isFunction(node)) {
      const ofModule = outer.ofModule && runsAtLoad(node, this.#above);
      const isArrow = node.type === 'ArrowFunctionExpression';
      const inner = new Scope(outer, { ofModule, ...(isArrow ? {} : { self: this.#self() }) });
      const { id, type } = node;
      if (id)
        (type === 'FunctionDeclaration' ? outer : inner).declare(id.name, initOf(node, outer));
      for (const parameter of node.params)
        for (const [name] of namesIn(parameter)) inner.declare(name);
      return inner;
    }
    if (!blocks.has(node.type)) return undefined;
    const inner = new Scope(outer, { ofModule: outer.ofModule, isBlock: true });
    if (node.type === 'CatchClause') for (const [name] of namesIn(node.param)) inner.declare(name);
    return inner;
  }

  /** Of the function at hand. */
  #self(): Self {
    const method = this.#above.at(-1);
    if (method?.type !== 'MethodDefinition') return { ofModule: false };
    if (method.static) return { ofModule: true };
    const made = this.#above.at(-3) as Node; // around its body
    const self = this.#selves.get(made) ?? { ofModule: false };
    this.#selves.set(made, self);
    return method.kind === 'constructor' ? { ofModule: false } : self;
  }

  #declare(node: Node, scope: Scope): void {
    switch (node.type) {
      case 'ClassDeclaration':
        if (node.id) scope.declare(node.id.name, initOf(node, scope));
        break;
      case 'VariableDeclaration': {
        const to = node.kind === 'var' ? scope.ofFunction : scope;
        for (const { id, init } of node.declarations)
          for (const [name, key] of namesIn(id))
            to.declare(name, init ? initOf(init, scope, key) : {});
        break;
      }
      case 'ImportDeclaration':
        for (const { local } of node.specifiers)
          scope.declare(local.name, { source: String(node.source.value) });
        break;
      case 'AssignmentExpression':
        for (const [name] of namesIn(node.left)) this.#assigned.push([name, scope]);
        break;
      case 'NewExpression':
        if (scope.ofModule) this.#made.push([node.callee, scope]);
    }
  }
}

function initOf(node: Node, scope: Scope, key?: string): Partial<Binding> {
  return { init: { node, scope, key } };
}
