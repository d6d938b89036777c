/** createCluster(): commands go to the node that has their key. */
import { park } from '@tendril/core';
import { createCluster as createRaw, type RedisArgument, type RedisClusterOptions } from 'redis';
import { blockingOf, blocks } from './blocking.js';
import { withCommands } from './commands.js';
import { Deployment, DeploymentBase } from './deployment.js';
import type { LaneHost } from './lane.js';
import type { Lanes } from './lanes.js';
import { parking } from './multi.js';
import { type OwnOptions, settingsOf } from './options.js';
import type { Args, CommandOptions, Raw, RawMulti } from './raw.js';
import type { Cluster, Functions, Mapping, Modules, None, Scripts, Versions } from './types.js';

interface RawCluster extends Raw {
  exists(key: RedisArgument): Promise<unknown>;
  multi(routing?: RedisArgument): RawMulti;
  getNodeClientForKey(key: RedisArgument | undefined): Promise<Raw & { options: Node }>;
}
interface Node {
  socket?: object;
}
type Routed = (
  key: RedisArgument | undefined,
  readonly: boolean | undefined,
  args: Args,
  options?: CommandOptions,
) => Promise<unknown>;

export class ClusterBase extends DeploymentBase {
  get #raw(): RawCluster {
    return this.deployment.raw as RawCluster;
  }

  protected lanesFor(key: RedisArgument | undefined): Lanes {
    const { deployment } = this;
    const node = park<Raw & { options: Node }>((resume) => {
      this.#raw.getNodeClientForKey(key).then(resume, resume.error);
    });
    const host: LaneHost = {
      open: (signal) =>
        node.duplicate({
          pingInterval: undefined,
          socket: {
            ...node.options.socket,
            socketTimeout: undefined,
            reconnectStrategy: false,
            signal,
          },
        }),
      control: (args) => node.sendCommand(args),
      connectTimeout: deployment.options.connectTimeout,
      onError: (error) => deployment.onError(error),
    };
    return deployment.lanesOf(node, host);
  }

  // The driver follows a MOVED, and learns from it.
  protected refresh(key: RedisArgument | undefined): void {
    if (key !== undefined) this.ask(() => this.#raw.exists(key));
  }

  /** As node-redis's: the first key says to which node `args` go. */
  sendCommand<T = unknown>(
    firstKey: RedisArgument | undefined,
    isReadonly: boolean | undefined,
    args: Args,
    options?: CommandOptions,
  ): T {
    const blocking = blockingOf(String(args[0]));
    if (blocking && blocks(blocking, args)) {
      const send = (node: Raw) => node.sendCommand(args, options);
      return this.block(blocking, firstKey, { send, args }) as T;
    }
    return this.ask((raw) => {
      const to = raw as unknown as { sendCommand: Routed };
      return to.sendCommand(firstKey, isReadonly, args, options);
    }) as T;
  }

  /** Its keys have to be of one node; `routing` is one of them, if the first command has none. */
  multi(routing?: RedisArgument): object {
    return parking(this.#raw.multi(routing), (send) => this.ask(send));
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
  const { driver, ...settings } = settingsOf({ ...given.defaults, ...own } as object);
  // Here node-redis sees to commands that wait for a connection, which may become another one's.
  const { commandOptions: _timeout, disableOfflineQueue: _queue, ...shared } = driver;
  const defaults = { ...shared, disableOfflineQueue: settings.disableOfflineQueue };
  const rootNodes = given.rootNodes.map((node) => {
    const { socket, url } = node;
    return { ...shared, ...node, ...(!url && { socket: { ...shared.socket, ...socket } }) };
  });
  const raw = createRaw({ ...given, defaults, rootNodes } as object as RedisClusterOptions);
  const deployment = new Deployment(raw as unknown as Raw, settings);
  const type = withCommands<ClusterBase, typeof ClusterBase>(ClusterBase, deployment.raw);
  return new type(deployment) as unknown as Cluster<M, F, S, RESP, T>;
}
