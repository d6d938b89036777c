/** Rules: which commands change the connection that they go over, and what to use in their place. */
import { blockingOf, blocks } from './blocking.js';
import { ConnectionCommandError } from './errors.js';
import type { Args } from './raw.js';

/** What a command does to its connection, beyond its reply. */
export interface Rule {
  /**
   * MULTI and WATCH begin something that others end. What else is left behind makes it `dirty`, or `spoilt`:
   * that stays after a RESET, at least of some versions.
   */
  readonly effect: 'begins' | 'ends' | 'dirty' | 'spoilt';
  /** What there is for it; undefined if it may be sent over a connection that others use, too. */
  readonly instead?: string;
  /** Nor over one of one's own: node-redis could not go on. */
  readonly never?: true;
}

const subscriptions = 'subscribe(), pSubscribe() or sSubscribe()';
const closing = 'close() of the subscription';
const watching = 'transaction(), or watch() in execute()';
const never = (instead: string): Rule => ({ effect: 'dirty', instead, never: true });
const dirty: Rule = { effect: 'dirty' };
const spoilt: Rule = { effect: 'spoilt' };

// https://redis.io/docs/latest/commands/reset/ lists what belongs to a connection.
const rules: Readonly<Record<string, Rule>> = {
  MULTI: { effect: 'begins', instead: 'multi()' },
  EXEC: { effect: 'ends', instead: 'multi()' },
  DISCARD: { effect: 'ends', instead: 'multi()' },
  WATCH: { effect: 'begins', instead: watching },
  UNWATCH: { effect: 'ends', instead: watching },
  SELECT: { effect: 'dirty', instead: 'the option `database`, or select() of a client' },
  ASKING: { effect: 'dirty', instead: 'createCluster()' },
  'CLIENT CACHING': { effect: 'dirty', instead: 'the option `clientSideCache`' },
  SUBSCRIBE: never(subscriptions),
  PSUBSCRIBE: never(subscriptions),
  SSUBSCRIBE: never(subscriptions),
  UNSUBSCRIBE: never(closing),
  PUNSUBSCRIBE: never(closing),
  SUNSUBSCRIBE: never(closing),
  MONITOR: never('redis-cli MONITOR'),
  SYNC: never('redis-cli --replica'),
  PSYNC: never('redis-cli --replica'),
  HELLO: never('the options `RESP`, `username`, `password` and `name`'),
  'CLIENT REPLY': never('a greenlet of its own for what nobody waits for'),
  QUIT: never('close()'),
  RESET: never('execute(), whose connection is lent again only as it was before'),
  AUTH: dirty,
  READONLY: dirty,
  READWRITE: dirty,
  'CLIENT NO-EVICT': spoilt,
  'CLIENT NO-TOUCH': spoilt,
  'CLIENT SETNAME': dirty,
  'CLIENT SETINFO': dirty, // node-redis sends its own again
  'CLIENT TRACKING': dirty,
  'CLIENT CAPA': spoilt,
  'CLIENT IMPORT-SOURCE': spoilt,
  'SCRIPT DEBUG': spoilt,
};

/** By the first word; where it depends on the second one, by that. */
const byName = new Map<string, Rule | Map<string, Rule>>();
for (const [name, rule] of Object.entries(rules)) {
  const [word = '', next] = name.split(' ');
  const under = byName.get(word) ?? new Map<string, Rule>();
  if (next !== undefined && under instanceof Map) byName.set(word, under.set(next, rule));
  else byName.set(word, rule);
}
const byMethod = new Map(
  Object.entries(rules).map(([name, rule]) => [name.toLowerCase().replace(/[ -]/g, ''), rule]),
);

/** Undefined for nearly all. */
export function ruleOf(args: Args): Rule | undefined {
  const found = byName.get(String(args[0]).toUpperCase());
  return found instanceof Map ? found.get(String(args[1]).toUpperCase()) : found;
}

/** That of node-redis's method `name`: clientNoEvict, CLIENT_NO-EVICT. */
export function ruleOfMethod(name: string): Rule | undefined {
  return byMethod.get(name.toLowerCase().replace(/[_-]/g, ''));
}

/** Over which connection a command is to go: `shared` with others, or one's `own`. */
export type Scope = 'shared' | 'own';

/** @throws ConnectionCommandError */
export function checkRule(rule: Rule, scope: Scope, args: Args): void {
  if (rule.instead === undefined || (scope === 'own' && !rule.never)) return;
  throw new ConnectionCommandError(args.slice(0, 2).join(' '), rule.instead);
}

/** @throws ConnectionCommandError for a command that others on this connection would suffer from */
export function checkCommand(args: Args, scope: Scope): void {
  const rule = ruleOf(args);
  if (rule) checkRule(rule, scope, args);
}

/** @throws ConnectionCommandError for those that have no place in a `multi()`, in a pipeline for one */
export function checkMulti(commands: readonly unknown[], scope: Scope, asPipeline: boolean): void {
  for (const { args } of commands as { args: Args }[]) {
    checkCommand(args, scope);
    if (!asPipeline) continue; // in a transaction none blocks
    const blocking = blockingOf(String(args[0]));
    if (blocking && blocks(blocking, args))
      throw new ConnectionCommandError(`${args[0]} in a pipeline`, 'the command by itself');
  }
}
