/** What a module calls, by name; and which of its functions do nothing but set something. */
import { namesIn, type Scope } from './scopes.js';
import { type FunctionNode, keyOf, type Node } from './syntax.js';

function nameOf(node: Node | null | undefined): string | undefined {
  if (node?.type === 'Identifier') return node.name;
  if (node?.type === 'SequenceExpression') return nameOf(node.expressions.at(-1)); // (0, x.name)()
  return node ? keyOf(node) : undefined;
}

/** The names of functions that are called here, handed to somebody, or known by a second name. */
export function calledBy(node: Node): (string | undefined)[] {
  switch (node.type) {
    case 'CallExpression':
    case 'NewExpression':
      return [node.callee, ...node.arguments].map(nameOf);
    case 'TaggedTemplateExpression':
      return [nameOf(node.tag)];
    case 'AssignmentExpression':
      return others(nameOf(node.left), nameOf(node.right));
    case 'ExportSpecifier':
      return others(nameOf(node.exported), nameOf(node.local));
    case 'ImportSpecifier':
      return others(nameOf(node.imported), nameOf(node.local));
    case 'Property':
      return others(nameOf(node.key), nameOf(node.value));
    case 'VariableDeclarator':
      return [...namesIn(node.id)].flatMap(([name]) => others(name, nameOf(node.init)));
    default:
      return [];
  }
}

function others(one: string | undefined, other: string | undefined): (string | undefined)[] {
  return one === undefined || other === undefined || one === other ? [] : [one, other];
}

/** By what name others call a function; undefined where that is not to be seen. */
export function knownAs(node: FunctionNode, outer: Node | undefined): string | undefined {
  if (node.id) return node.id.name;
  switch (outer?.type) {
    case 'AssignmentExpression': {
      const name = nameOf(outer.left);
      return name === 'exports' ? undefined : name;
    }
    case 'MethodDefinition':
    case 'Property':
    case 'PropertyDefinition':
      return outer.computed ? undefined : nameOf(outer.key);
    case 'VariableDeclarator':
      return nameOf(outer.id);
    default:
      return undefined;
  }
}

/** A call of one of the language's own functions: nothing of the package, or of its users, is run by it. */
export function isHarmless(callee: Node, scope: Scope): boolean {
  switch (callee.type) {
    case 'CallExpression':
    case 'NewExpression':
      return isHarmless(callee.callee, scope);
    case 'Identifier':
      return callee.name !== 'require' && callee.name in globalThis && !scope.find(callee.name);
    case 'MemberExpression':
      return isHarmless(callee.object, scope);
    default:
      return false;
  }
}
