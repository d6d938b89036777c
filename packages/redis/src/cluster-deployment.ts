/** ClusterDeployment: node-redis's cluster, whose nodes get commands only while they are there. */
import { withoutContext } from '@tendril/core';
import type { RedisArgument, TypeMapping } from 'redis';
import type { Delivery, Execute } from './delivery.js';
import { Deployment } from './deployment.js';
import type { Settings } from './options.js';
import type { CommandOptions, Raw, RawMulti } from './raw.js';
import { checkMulti } from './rules.js';

/** What a command is about; node-redis's own has more. */
interface Parser {
  firstKey: RedisArgument | undefined;
}
type MakeExecute = (parser: Parser) => Execute;
/** A server, with the clients for it that node-redis has made. */
interface Node {
  readonly client?: Raw;
  readonly pubSub?: Node;
}

/** With what node-redis's own commands are made of. */
interface RawCluster extends Omit<Raw, 'Multi'> {
  /** The one behind all its views. */
  readonly _self: RawCluster;
  readonly _slots: { rediscover(): Promise<void>; readonly pubSubNode?: Node };
  _executeWithPolicies(
    parser: Parser,
    isReadonly: boolean | undefined,
    options: CommandOptions | undefined,
    make: MakeExecute,
  ): Promise<unknown>;
  _execute(
    parser: Parser,
    isReadonly: boolean | undefined,
    options: CommandOptions | undefined,
    execute: Execute,
  ): Promise<unknown[]>;
  getNodeClientForKey(key: RedisArgument): Promise<Raw>;
  getRandomNode(): object;
  nodeClient(node: object): Promise<Raw>;
  readonly nodeByAddress: Map<string, Node>;
  readonly Multi: new (
    executeMulti: ExecuteMulti,
    executePipeline: ExecuteMulti,
    routing: RedisArgument | undefined,
    typeMapping: TypeMapping | undefined,
    keyPrefix: RedisArgument | undefined,
  ) => RawMulti;
}
type ExecuteMulti = (
  firstKey: RedisArgument | undefined,
  isReadonly: boolean | undefined,
  commands: unknown[],
) => Promise<unknown[]>;

/** Milliseconds from one question about the slots to the next. */
const lookInterval = 500;
/** Of node-redis's commands inside a transaction: where its cluster wants them. */
type Placed = { slotNumber?: number; chainId?: symbol };

export class ClusterDeployment extends Deployment {
  readonly #cluster: RawCluster;
  /** Of the command that node-redis is being given. */
  #current: Delivery | undefined;
  #looked = Number.NEGATIVE_INFINITY;

  constructor(raw: Raw, settings: Settings) {
    super(raw, settings);
    this.#cluster = (raw as unknown as RawCluster)._self;
    raw.on('node-error', (error) => this.onNodeError(error));
    raw.on('node-connect', () => this.#watchNodes());
    const original = this.#cluster._executeWithPolicies;
    this.#cluster._executeWithPolicies = (parser, isReadonly, options, make) => {
      const delivery = this.#current;
      const guarded: MakeExecute = delivery ? (of) => delivery.guard(make(of)) : make;
      return original.call(this.#cluster, parser, isReadonly, options, guarded);
    };
  }

  /** Those that node-redis makes it keeps to itself; but they are all where they belong when they connect. */
  #watchNodes(): void {
    const { nodeByAddress, _slots } = this.#cluster;
    const subscribed = [...nodeByAddress.values()].map(({ pubSub }) => pubSub);
    for (const node of [...nodeByAddress.values(), ...subscribed, _slots.pubSubNode])
      if (node?.client) this.nodes.watch(node.client);
  }

  /** `start` calls one of node-redis's commands, which `delivery` guards. */
  during(delivery: Delivery, start: () => Promise<unknown>): Promise<unknown> {
    this.#current = delivery;
    try {
      return start();
    } finally {
      this.#current = undefined;
    }
  }

  async nodeFor(key: RedisArgument | undefined): Promise<Raw> {
    const cluster = this.#cluster;
    if (key !== undefined) return cluster.getNodeClientForKey(key);
    return cluster.nodeClient(cluster.getRandomNode());
  }

  /** One whose slots nobody has told us yet may take some over: then they are asked for. */
  async nodeAt(address: string): Promise<Raw> {
    const { nodeByAddress } = this.#cluster;
    if (!nodeByAddress.has(address)) await this.#cluster._slots.rediscover();
    const node = nodeByAddress.get(address);
    if (!node) throw new Error(`The cluster does not know the node ${address} of an ASK.`);
    return this.#cluster.nodeClient(node);
  }

  /** node-redis's own, whose commands wait for nothing once their greenlet has given up. */
  multi(routing: RedisArgument | undefined, typeMapping: TypeMapping | undefined): RawMulti {
    const cluster = this.#cluster;
    const typed = (node: Raw) => (typeMapping ? node.withCommandOptions({ typeMapping }) : node);
    const guard = <T>(execute: (node: Raw, placed: Placed) => Promise<T>) =>
      (this.#current as Delivery).guard((node, options) =>
        execute(typed(node), (options ?? {}) as Placed),
      ) as (node: Raw, options?: object) => Promise<T>;
    const executeMulti: ExecuteMulti = async (firstKey, isReadonly, commands) => {
      checkMulti(commands, 'shared', false);
      const execute = guard((node, { slotNumber, chainId }) =>
        node._executeMulti(commands, undefined, slotNumber, chainId),
      );
      return cluster._execute({ firstKey }, isReadonly, undefined, execute);
    };
    const executePipeline: ExecuteMulti = async (firstKey, _isReadonly, commands) => {
      checkMulti(commands, 'shared', true);
      const execute = guard((node) => node._executePipeline(commands));
      return this.nodeFor(firstKey).then((node) => execute(node));
    };
    const { _keyPrefix: prefix } = cluster;
    return new cluster.Multi(executeMulti, executePipeline, routing, typeMapping, prefix);
  }

  protected lookAround(): void {
    const now = performance.now();
    if (now - this.#looked < lookInterval || !this.raw.isReady) return;
    this.#looked = now;
    withoutContext(() => this.#cluster._slots.rediscover()).then(
      () => this.nodes.notify(),
      (error) => this.onError(error),
    );
  }
}
