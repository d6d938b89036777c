/** Where the functions of a module write to what lives as long as the module. */
import { calledBy, isHarmless, knownAs } from './calls.js';
import { isFilled } from './filled.js';
import { isOfNode, type Path, pathOf, requestOf } from './paths.js';
import { type Binding, type Scope, scopesOf } from './scopes.js';
import { childrenOf, type FunctionNode, isFunction, keyOf, type Node, parse } from './syntax.js';

/**
 * `filled`: only where it is empty. `constant`: always with the same value. `up`, `down`: counted. `any`: all others.
 */
export type Manner = 'any' | 'constant' | 'down' | 'filled' | 'up';

/** A function of a module, within no other. */
export interface Call {
  /** By what name others call it; undefined where that is not to be seen. */
  readonly name: string | undefined;
  /** Neither the package nor its users are called by it. */
  isQuiet: boolean;
}

export interface Write {
  /** What is written to, for the whole package: a name of this module, or a property, of whatever object. */
  readonly what: string;
  readonly manner: Manner;
  /** Of a constant. */
  readonly value: string | undefined;
  /** Where it begins and ends in the text. */
  readonly start: number;
  readonly end: number;
  readonly within: Call;
  /** A function within that one writes. */
  readonly isInner: boolean;
  /** It is to an object that the module has made of a class, for itself. */
  readonly isThis: boolean;
}

export interface ModuleFacts {
  readonly writes: readonly Write[];
  /** The modules that it names, as it names them. */
  readonly requests: readonly string[];
  /** The names of what it calls. */
  readonly calls: ReadonlySet<string | undefined>;
}

/** The value of an expression that has always the same. */
function constantOf(node: Node): string | undefined {
  if (node.type === 'Literal' && !node.regex) return String(node.raw);
  if (node.type === 'Identifier' && node.name === 'undefined') return 'undefined';
  if (node.type !== 'UnaryExpression') return undefined;
  const value = constantOf(node.argument);
  if (value === undefined) return undefined;
  if (node.operator === 'void') return 'undefined';
  if (node.operator === '!' && (value === '0' || value === '1')) return String(value === '0');
  return `${node.operator}${value}`;
}

function isNumber(node: Node): boolean {
  return node.type === 'Literal' && typeof node.value === 'number';
}

/** Made by the function that uses it: a port from which nobody else's answers come. */
function isOwn(node: Node, scope: Scope): boolean {
  if (node.type === 'MemberExpression') return isOwn(node.object, scope);
  const init = node.type === 'Identifier' ? scope.find(node.name)?.init : undefined;
  return init?.node.type === 'NewExpression' && init.scope.ofFunction === scope.ofFunction;
}

class Reader {
  readonly writes: Write[] = [];
  readonly requests: string[] = [];
  readonly calls = new Set<string | undefined>();
  readonly #file: string;
  readonly #text: string;
  readonly #scopes: Map<Node, Scope>;
  /** The nodes around the one at hand, from the outside. */
  readonly #above: Node[] = [];
  readonly #functions: FunctionNode[] = [];
  /** The outermost of them. */
  #call: Call = { name: undefined, isQuiet: true };

  constructor(file: string, text: string, scopes: Map<Node, Scope>) {
    this.#file = file;
    this.#text = text;
    this.#scopes = scopes;
  }

  read(node: Node, outer: Scope): void {
    const scope = this.#scopes.get(node) ?? outer;
    const above = this.#above;
    const isCall = isFunction(node) && !scope.ofModule;
    if (isCall) {
      if (this.#functions.length === 0)
        this.#call = { name: knownAs(node, above.at(-1)), isQuiet: true };
      this.#functions.push(node);
    }
    if (this.#functions.length > 0) this.#look(node, scope);
    for (const name of calledBy(node)) this.calls.add(name);
    const request = requestOf(node);
    if (request !== undefined) this.requests.push(request);
    above.push(node);
    for (const child of childrenOf(node)) this.read(child, scope);
    above.pop();
    if (isCall) this.#functions.pop();
  }

  #look(node: Node, scope: Scope): void {
    switch (node.type) {
      case 'AssignmentExpression':
        this.#write(node, node.left, scope);
        break;
      case 'UpdateExpression':
        this.#write(node, node.argument, scope);
        break;
      case 'UnaryExpression':
        if (node.operator === 'delete') this.#write(node, node.argument, scope);
        break;
      case 'ForInStatement':
      case 'ForOfStatement':
        if (node.left.type !== 'VariableDeclaration') this.#write(node, node.left, scope);
        break;
      case 'CallExpression':
      case 'NewExpression':
        if (!isHarmless(node.callee, scope)) this.#isCalling();
        this.#change(node, scope);
        break;
      case 'AwaitExpression':
      case 'TaggedTemplateExpression':
      case 'YieldExpression':
        this.#isCalling();
    }
  }

  /** What a function within it calls is called later, or by a call that has been seen. */
  #isCalling(): void {
    if (this.#functions.length === 1) this.#call.isQuiet = false;
  }

  /** Calls that change what they are made on, as a write does. */
  #change(node: Node & { type: 'CallExpression' | 'NewExpression' }, scope: Scope): void {
    const { callee } = node;
    const called = callee.type === 'SequenceExpression' ? callee.expressions.at(-1) : callee;
    const name = called?.type === 'Identifier' ? called.name : called && keyOf(called);
    const [first] = node.arguments;
    if (name === 'receiveMessageOnPort' && first) {
      if (!isOwn(first, scope)) this.#say(node, name, 'any');
    } else if (called?.type === 'MemberExpression') {
      const changed =
        name === 'pop'
          ? called.object
          : this.#textOf(called) === 'Object.assign'
            ? first
            : undefined;
      const path = changed && pathOf(changed, scope);
      if (!path || path.isEntry || isOfNode(path)) return;
      this.#say(node, this.#textOf(changed), 'any', undefined, path);
    }
  }

  #write(node: Node, target: Node, scope: Scope): void {
    switch (target.type) {
      case 'Identifier': {
        const binding = scope.find(target.name);
        if (binding && !binding.ofModule) return;
        if (this.#isItself(binding)) return;
        this.#say(node, `${this.#file}#${target.name}`, ...this.#mannerOf(node, target, scope));
        break;
      }
      case 'MemberExpression': {
        const path = pathOf(target, scope);
        if (!path || path.isEntry || isOfNode(path)) return;
        const [manner, value] = this.#mannerOf(node, target, scope);
        this.#say(node, `.${path.key}`, manner, value, path);
        break;
      }
      case 'ObjectPattern':
        for (const part of target.properties)
          this.#write(node, part.type === 'RestElement' ? part.argument : part.value, scope);
        break;
      case 'ArrayPattern':
        for (const part of target.elements) if (part) this.#write(node, part, scope);
        break;
      case 'AssignmentPattern':
        this.#write(node, target.left, scope);
        break;
      case 'RestElement':
        this.#write(node, target.argument, scope);
    }
  }

  /** `var x = function () { x = …`: it replaces itself when it is called for the first time. */
  #isItself(binding: Binding | undefined): boolean {
    const init = binding?.init?.node;
    const made = init?.type === 'LogicalExpression' ? init.right : init;
    return this.#functions.some((one) => one === made);
  }

  #mannerOf(node: Node, target: Node, scope: Scope): [Manner, string?] {
    if (node.type === 'UpdateExpression') return [node.operator === '++' ? 'up' : 'down'];
    if (node.type === 'UnaryExpression') return ['constant', 'undefined'];
    if (node.type !== 'AssignmentExpression') return ['any'];
    const { operator, right } = node;
    if (operator === '+=' && isNumber(right)) return ['up'];
    if (operator === '-=' && isNumber(right)) return ['down'];
    if (operator === '??=' || operator === '||=') return ['filled'];
    if (operator !== '=' || node.left !== target) return ['any'];
    const constant = constantOf(right);
    if (constant !== undefined) return ['constant', constant];
    return [isFilled(node, this.#above, scope, (other) => this.#textOf(other)) ? 'filled' : 'any'];
  }

  #textOf({ start, end }: Node): string {
    return this.#text.slice(start, end);
  }

  #say({ start, end }: Node, what: string, manner: Manner, value?: string, path?: Path): void {
    const isInner = this.#functions.length > 1;
    const isThis = path?.begin === 'this';
    this.writes.push({ what, manner, value, start, end, isInner, isThis, within: this.#call });
  }
}

/** @throws SyntaxError of the parser */
export function factsOf(file: string, text: string): ModuleFacts {
  const program = parse(file, text);
  const scopes = scopesOf(program);
  const reader = new Reader(file, text, scopes);
  reader.read(program, scopes.get(program) as Scope);
  return reader;
}
