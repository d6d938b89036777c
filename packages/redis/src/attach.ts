/** attach(): node-redis's commands on our classes, by the names that it gives them. */
import { type Blocking, blockingOf, blocks } from './blocking.js';
import type { Call } from './lane.js';
import type { Raw } from './raw.js';
import { checkRule, ruleOfMethod, type Scope } from './rules.js';

/** What a class with commands does with them. */
export interface Commander {
  /** Over what they go. */
  readonly scope: Scope;
  /** Sends a command, and parks until its reply is there. */
  call(call: Call): unknown;
  callBlocking(blocking: Blocking, call: Call): unknown;
}

type Method = (this: unknown, ...args: unknown[]) => Promise<unknown>;
type Methods = Record<string, Method>;

function command(name: string, start: (raw: Raw, args: unknown[]) => Promise<unknown>) {
  const blocking = blockingOf(name);
  // By its name: in a cluster it is called on one node.
  const startOn = (raw: Raw, args: unknown[]) =>
    ((raw as unknown as Methods)[name] as Method)(...args);
  if (blocking)
    return function (this: Commander, ...args: unknown[]): unknown {
      const call: Call = { send: (raw) => startOn(raw, args), args };
      return blocks(blocking, args) ? this.callBlocking(blocking, call) : this.call(call);
    };
  const rule = ruleOfMethod(name);
  if (rule?.instead)
    return function (this: Commander, ...args: unknown[]): unknown {
      checkRule(rule, this.scope, [name]);
      return this.call({ send: (raw) => start(raw, args), args });
    };
  return function (this: Commander, ...args: unknown[]): unknown {
    return this.call({ send: (raw) => start(raw, args), args });
  };
}

/** A namespace: the commands of a module, or of a library of functions. */
function namespace(name: string, methods: Methods) {
  const type = class {
    readonly commander: Commander;
    constructor(commander: Commander) {
      this.commander = commander;
    }
  };
  for (const key in methods) {
    if (typeof methods[key] !== 'function') continue;
    const start = (raw: Raw, args: unknown[]) => {
      const own = (raw as unknown as Record<string, Methods>)[name] as Methods;
      return (own[key] as Method)(...args);
    };
    Object.defineProperty(type.prototype, key, {
      value(this: { commander: Commander }, ...args: unknown[]) {
        return this.commander.call({ send: (raw) => start(raw, args), args });
      },
    });
  }
  return type;
}

function define(prototype: object, name: string, descriptor: PropertyDescriptor): void {
  // What is there is ours, and made for greenlets.
  if (name in prototype) return;
  Object.defineProperty(prototype, name, { ...descriptor, configurable: true });
}

/**
 * Gives `type` all commands, scripts, functions and modules that the driver's object has. They stand
 * on the prototype of its class, made by node-redis for its options.
 */
export function attach(type: { prototype: Commander }, raw: Raw): void {
  const { prototype } = type;
  let source: object = Object.getPrototypeOf(raw);
  // Some of its factories give an object on top of the client, to have options of its own.
  if (!Object.hasOwn(source, 'constructor')) source = Object.getPrototypeOf(source);
  for (const [name, { value, get }] of Object.entries(Object.getOwnPropertyDescriptors(source))) {
    if (name === 'constructor' || name === 'Multi') continue;
    if (typeof value === 'function') {
      const method = value as Method;
      define(prototype, name, { value: command(name, (to, args) => method.apply(to, args)) });
    } else if (get) {
      const type = namespace(name, get.call(raw));
      const made = new WeakMap<Commander, object>();
      define(prototype, name, {
        get(this: Commander) {
          let own = made.get(this);
          if (own) return own;
          own = new type(this);
          made.set(this, own);
          return own;
        },
      });
    }
  }
}
