/** createCluster(): commands go to the node that has their key. */
import { createCluster as createRaw, type RedisArgument, type RedisClusterOptions } from 'redis';
import { ClusterDeployment } from './cluster-deployment.js';
import { withCommands } from './commands.js';
import type { Delivery } from './delivery.js';
import { DeploymentCommands } from './deployment-commands.js';
import type { Send } from './lane.js';
import { parking } from './multi.js';
import { type OwnOptions, settingsOf } from './options.js';
import type { Args, CommandOptions, Raw } from './raw.js';
import { withSignals } from './stop.js';
import type { Cluster, Functions, Mapping, Modules, None, Scripts, Versions } from './types.js';

type Routed = (
  key: RedisArgument | undefined,
  readonly: boolean | undefined,
  args: Args,
  options?: CommandOptions,
) => Promise<unknown>;

export class ClusterBase extends DeploymentCommands<ClusterDeployment> {
  protected guarded(send: Send, delivery: Delivery): Promise<unknown> {
    return this.deployment.during(delivery, () => send(this.view));
  }

  protected locate(key: RedisArgument | undefined): Promise<Raw> {
    return this.deployment.nodeFor(key);
  }
  protected locateAddress(address: string): Promise<Raw> {
    return this.deployment.nodeAt(address);
  }

  // node-redis follows a MOVED, and learns from it.
  protected refresh(key: RedisArgument | undefined): void {
    if (key !== undefined) this.sendCommand(key, false, ['EXISTS', key]);
  }

  /** As node-redis's: the first key says to which node `args` go. */
  sendCommand<T = unknown>(
    firstKey: RedisArgument | undefined,
    isReadonly: boolean | undefined,
    args: Args,
    options?: CommandOptions,
  ): T {
    return this.askOrBlock(firstKey, args, options, (raw) => {
      const to = raw as unknown as { sendCommand: Routed };
      return to.sendCommand(firstKey, isReadonly, args, options);
    }) as T;
  }

  /** Its keys have to be of one node; `routing` is one of them, if the first command has none. */
  multi(routing?: RedisArgument): object {
    const multi = this.deployment.multi(routing, this.commandOptions.typeMapping);
    return parking(multi, (send) => this.ask(send));
  }
  MULTI(routing?: RedisArgument): object {
    return this.multi(routing);
  }
}

/** A cluster's client, with node-redis's options, and `acquireTimeout` and `blockingConnections`. */
export function createCluster<
  M extends Modules = None,
  F extends Functions = None,
  S extends Scripts = None,
  RESP extends Versions = 3,
  T extends Mapping = None,
>(options: RedisClusterOptions<M, F, S, RESP, T> & OwnOptions): Cluster<M, F, S, RESP, T> {
  const { acquireTimeout, blockingConnections, ...given } = options;
  const own = { acquireTimeout, blockingConnections } as OwnOptions;
  const { commandOptions } = given;
  const settings = settingsOf({ ...given.defaults, commandOptions, ...own } as object);
  const { commandOptions: _ours, ...shared } = settings.driver;
  const rootNodes = given.rootNodes.map((node) => {
    const { socket, url } = node;
    return { ...shared, ...node, ...(!url && { socket: { ...shared.socket, ...socket } }) };
  });
  const raw = createRaw({
    // A node that is away shall stop its own keys only, not those who look for the others.
    minimizeConnections: true,
    ...given,
    defaults: { ...shared, socket: withSignals(shared.socket ?? {}) },
    rootNodes,
  } as object as RedisClusterOptions);
  const deployment = new ClusterDeployment(raw as unknown as Raw, settings);
  const type = withCommands<ClusterBase, typeof ClusterBase>(ClusterBase, deployment.raw);
  return new type(deployment) as unknown as Cluster<M, F, S, RESP, T>;
}
