/** Client: memjs's commands, with values in place of promises. */
import { InvalidArgumentError } from '@tendril/core';
import {
  type IncrementDecrementOptions,
  type InsertOptions,
  type Response,
  type Serializer,
  Utils,
} from 'memjs';
import { readAddresses } from './address.js';
import { checkExpires, checkKey, checkValue } from './arguments.js';
import { Cluster, sideBySide } from './cluster.js';
import * as command from './command.js';
import { opcodes } from './opcodes.js';
import { type Options, readOptions } from './options.js';
import { Server } from './server.js';

/** What a counter command answers, as with memjs. */
export interface CounterResult {
  success: boolean;
  /** Exact up to 2^53. */
  value: number | null;
}

export interface Item<TOut = Buffer | null> {
  /** Null: there is none. */
  value: TOut;
  flags: Buffer | null;
}

const asIs: Serializer<never, unknown> = {
  serialize: (_opcode, value, extras) => ({ value, extras }),
  deserialize: (_opcode, value, extras) => ({ value, extras }),
};
const none = Buffer.alloc(0);

/**
 * A client for one or more memcached servers, with one connection to each, that any number of greenlets
 * share. Every command parks, takes at most `timeout` seconds once it is sent, and throws
 * InvalidArgumentError before anything is sent; ServerError for a refusal; ConnectionError,
 * ReplyTimeoutError, ServerDeadError, AcquireTimeoutError where there is no answer;
 * AuthenticationError; ClientClosedError; NotInGreenletError.
 *
 * A command whose greenlet is killed or timed out is not sent if it was not sent yet; else its answer is
 * dropped when it comes.
 */
export class Client<TIn = string | Buffer, TOut = Buffer | null> {
  readonly servers: readonly Server[];
  readonly options: Options<TIn, TOut>;
  readonly serializer: Serializer<TIn, TOut>;
  readonly #cluster: Cluster;
  readonly #expires: number;

  /**
   * @param servers `[user:pass@]host[:port],…`; default the environment's MEMCACHIER_SERVERS,
   *   MEMCACHE_SERVERS, or localhost:11211
   */
  static create<TIn = string | Buffer, TOut = Buffer | null>(
    servers?: string,
    options: Options<TIn, TOut> = {},
  ): Client<TIn, TOut> {
    const made = readAddresses(servers).map(
      ({ host, port, username, password }) => new Server(host, port, username, password, options),
    );
    return new Client(made, options);
  }

  /** As {@link create}, with servers made by the caller. Connects to none yet. */
  constructor(servers: readonly Server[], options: Options<TIn, TOut> = {}) {
    if (servers.length === 0) throw new InvalidArgumentError('servers', 'at least one', '');
    this.servers = servers;
    this.options = options;
    this.serializer = options.serializer ?? (asIs as Serializer<TIn, TOut>);
    this.#cluster = new Cluster(servers, readOptions(options));
    this.#expires = checkExpires(options.expires ?? 0);
  }

  /** Which of `servers` a key belongs to. May be replaced, as with memjs. */
  getServer(key: string): number | string {
    return Utils.hashCode(key) % this.servers.length;
  }

  /** Where a command for `key` would go now. @throws ServerDeadError */
  server(key: string): Server {
    return this.#cluster.choose(this.#own(key));
  }

  #own(key: string): number {
    return this.servers.length === 1 ? 0 : Number(this.getServer(key));
  }

  #ask(name: command.CommandName, key: string, extras?: Buffer, value?: string | Buffer): Response {
    checkKey(key);
    const request = command.makeRequest(name, key, extras, value);
    return command.only(this.#cluster.perform(this.#own(key), request));
  }

  #item({ header, val, extras }: Response): Item<TOut> {
    const item = this.serializer.deserialize(header.opcode, command.detached(val), extras);
    return { value: item.value, flags: item.extras };
  }

  get(key: string): Item<TOut> {
    const answer = this.#ask('get', key);
    if (command.succeeded('get', answer, command.keyNotFound)) return this.#item(answer);
    return { value: null as TOut, flags: null };
  }

  /** The items of those keys that there are, in one round trip to each server. */
  getMulti(keys: Iterable<string>): Map<string, Item<TOut>> {
    const byServer = this.#groupByServer(command.distinctKeys(keys));
    const found = new Map<string, Item<TOut>>();
    const failed: unknown[] = [];
    const ask = ([own, some]: [number, string[]]) => {
      const parts = this.#cluster.perform(own, command.makeMultiRequest(some));
      for (const part of parts)
        if (command.succeeded('getMulti', part) && part.header.opcode !== opcodes.noop)
          found.set(part.key.toString(), this.#item(part));
    };
    if (byServer.size === 1) for (const each of byServer) ask(each);
    else
      sideBySide(byServer, (each) => {
        try {
          ask(each);
        } catch (error) {
          failed.push(error);
        }
      });
    if (failed.length > 0) throw failed[0];
    return found;
  }

  #groupByServer(keys: Iterable<string>): Map<number, string[]> {
    const groups = new Map<number, string[]>();
    for (const key of keys) {
      const own = this.#own(key);
      const group = groups.get(own);
      if (group) group.push(key);
      else groups.set(own, [key]);
    }
    return groups;
  }

  #store(
    name: 'set' | 'add' | 'replace',
    key: string,
    value: TIn,
    options: InsertOptions | undefined,
    ...no: number[]
  ): boolean {
    const extras = Buffer.alloc(8);
    extras.writeUInt32BE(this.#expiry(options?.expires), 4);
    const item = this.serializer.serialize(opcodes[name], value, extras);
    checkValue(item.value);
    return command.succeeded(name, this.#ask(name, key, item.extras, item.value), ...no);
  }

  #expiry(expires: number | undefined): number {
    return expires === undefined ? this.#expires : checkExpires(expires);
  }

  /** @throws ServerError with status 3 for a value beyond the server's limit (1 MiB unless it is told) */
  set(key: string, value: TIn, options?: InsertOptions): boolean {
    return this.#store('set', key, value, options);
  }

  /** False if the key is there already. */
  add(key: string, value: TIn, options?: InsertOptions): boolean {
    return this.#store('add', key, value, options, command.keyExists, command.notStored);
  }

  /** False if the key is not there. */
  replace(key: string, value: TIn, options?: InsertOptions): boolean {
    return this.#store('replace', key, value, options, command.keyNotFound, command.notStored);
  }

  #extend(name: 'append' | 'prepend', key: string, value: TIn): boolean {
    const item = this.serializer.serialize(opcodes[name], value, none);
    checkValue(item.value);
    const answer = this.#ask(name, key, item.extras, item.value);
    return command.succeeded(name, answer, command.keyNotFound, command.notStored);
  }

  /** Adds to the end of the value. False if the key is not there. */
  append(key: string, value: TIn): boolean {
    return this.#extend('append', key, value);
  }

  /** Adds to the front of the value. False if the key is not there. */
  prepend(key: string, value: TIn): boolean {
    return this.#extend('prepend', key, value);
  }

  /** False if the key was not there. */
  delete(key: string): boolean {
    return command.succeeded('delete', this.#ask('delete', key), command.keyNotFound);
  }

  /** Sets when the key expires; default the option `expires`. False if it is not there. */
  touch(key: string, expires?: number): boolean {
    const extras = Buffer.alloc(4);
    extras.writeUInt32BE(this.#expiry(expires));
    return command.succeeded('touch', this.#ask('touch', key, extras), command.keyNotFound);
  }

  #count(
    name: 'increment' | 'decrement',
    key: string,
    amount: number,
    options: IncrementDecrementOptions = {},
  ): CounterResult {
    const { initial = 0, expires } = options;
    const extras = command.counterExtras(amount, initial, this.#expiry(expires));
    const answer = this.#ask(name, key, extras);
    command.succeeded(name, answer);
    return { success: true, value: Number(answer.val.readBigUInt64BE(0)) };
  }

  /**
   * Adds `amount`; a key that is not there becomes `initial` (default 0). Sent at most once.
   * @throws ServerError with status 6 for a value that is no number
   */
  increment(key: string, amount: number, options?: IncrementDecrementOptions): CounterResult {
    return this.#count('increment', key, amount, options);
  }

  /** As {@link increment}; never below 0. */
  decrement(key: string, amount: number, options?: IncrementDecrementOptions): CounterResult {
    return this.#count('decrement', key, amount, options);
  }

  #everywhere(name: 'flush' | 'version'): Record<string, Response> {
    return this.#cluster.everywhere((server) => {
      const message = command.only(server.perform(command.makeRequest(name, '')));
      command.succeeded(name, message);
      return message;
    });
  }

  /** Empties all servers. @throws PartialError if some of several servers failed */
  flush(): Record<string, boolean> {
    const results = Object.entries(this.#everywhere('flush'));
    return Object.fromEntries(results.map(([server]) => [server, true]));
  }

  /** {@link flush} under memcached's own name. */
  flushAll(): Record<string, boolean> {
    return this.flush();
  }

  /** Of each server. @throws PartialError */
  version(): Record<string, string> {
    const results = Object.entries(this.#everywhere('version'));
    return Object.fromEntries(results.map(([server, { val }]) => [server, val.toString()]));
  }

  /** A group of statistics of each server, such as `items`, `slabs`, `settings`. @throws PartialError */
  statsWithKey(key: string): Record<string, Record<string, string>> {
    if (key !== '') checkKey(key);
    return this.#cluster.everywhere((server) => {
      const answer = server.perform(command.makeStatRequest(key));
      const lines = answer.filter((part) => command.succeeded(`stats ${key}`, part));
      return Object.fromEntries(
        lines.filter((part) => part.key.length > 0).map(({ key, val }) => [`${key}`, `${val}`]),
      );
    });
  }

  /** The statistics of each server, as text. @throws PartialError */
  stats(): Record<string, Record<string, string>> {
    return this.statsWithKey('');
  }

  /** Sets the statistics that count back to 0. @throws PartialError */
  resetStats(): Record<string, Record<string, string>> {
    return this.statsWithKey('reset');
  }

  /** Parks until what is on its way is done, says goodbye to the servers, and closes. */
  quit(): void {
    sideBySide(this.servers, (server) => server.quit());
    this.close();
  }

  /** Closes at once: commands on their way throw ClientClosedError. Works from everywhere. */
  close(): void {
    for (const server of this.servers) server.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
