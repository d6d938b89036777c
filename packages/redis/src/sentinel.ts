/** createSentinel(): commands go to whichever server is the master now. */
import { createClient, createSentinel as createRaw, type RedisSentinelOptions } from 'redis';
import { blockingOf, blocks } from './blocking.js';
import { withCommands } from './commands.js';
import { Deployment, DeploymentBase } from './deployment.js';
import type { LaneHost } from './lane.js';
import type { Lanes } from './lanes.js';
import { parking } from './multi.js';
import { type OwnOptions, type Settings, settingsOf } from './options.js';
import type { Args, CommandOptions, Raw, RawMulti } from './raw.js';
import type { Functions, Mapping, Modules, None, Scripts, Sentinel, Versions } from './types.js';

interface RawSentinel extends Raw {
  multi(): RawMulti;
  getMasterNode(): { host: string; port: number } | undefined;
}
type Routed = (
  readonly: boolean | undefined,
  args: Args,
  options?: CommandOptions,
) => Promise<unknown>;

class SentinelDeployment extends Deployment {
  readonly driver: Settings['driver'];

  constructor(raw: Raw, { driver, ...settings }: Settings) {
    super(raw, settings);
    this.driver = driver;
  }
}

export class SentinelBase extends DeploymentBase {
  get #raw(): RawSentinel {
    return this.deployment.raw as RawSentinel;
  }

  protected lanesFor(): Lanes {
    const { connectTimeout } = this.deployment.options;
    const { driver } = this.deployment as SentinelDeployment;
    const { host, port } = this.#raw.getMasterNode() ?? {};
    const lanes: LaneHost = {
      open: (signal) => {
        const socket = { ...driver.socket, host, port, signal };
        const own = { socketTimeout: undefined, reconnectStrategy: false };
        const options = { ...driver, pingInterval: undefined, socket: { ...socket, ...own } };
        return createClient(options as object) as unknown as Raw;
      },
      control: (args) => (this.#raw.sendCommand as unknown as Routed)(false, args),
      connectTimeout,
      onError: (error) => this.deployment.onError(error),
    };
    return this.deployment.lanesOf(`${host}:${port}`, lanes);
  }

  // node-redis finds the new master by itself.
  protected refresh(): void {
    this.sendCommand(false, ['PING']);
  }

  /** As node-redis's: `isReadonly` commands may go to a replica. */
  sendCommand<T = unknown>(
    isReadonly: boolean | undefined,
    args: Args,
    options?: CommandOptions,
  ): T {
    const blocking = blockingOf(String(args[0]));
    if (blocking && blocks(blocking, args)) {
      const send = (node: Raw) => node.sendCommand(args, options);
      return this.block(blocking, undefined, { send, args }) as T;
    }
    return this.ask((raw) => {
      const to = raw as unknown as { sendCommand: Routed };
      return to.sendCommand(isReadonly, args, options);
    }) as T;
  }

  multi(): object {
    return parking(this.#raw.multi(), (send) => this.ask(send));
  }
  MULTI(): object {
    return this.multi();
  }
}

/** A client that asks sentinels for its server, with node-redis's options and ours. */
export function createSentinel<
  M extends Modules = None,
  F extends Functions = None,
  S extends Scripts = None,
  RESP extends Versions = 3,
  T extends Mapping = None,
>(options: RedisSentinelOptions<M, F, S, RESP, T> & OwnOptions): Sentinel<M, F, S, RESP, T> {
  const { acquireTimeout, blockingConnections, ...given } = options;
  const own = { acquireTimeout, blockingConnections } as OwnOptions;
  const nodes = settingsOf({ ...given.nodeClientOptions, ...own } as object);
  const sentinels = settingsOf(given.sentinelClientOptions as object);
  const raw = createRaw({
    ...given,
    nodeClientOptions: nodes.driver,
    sentinelClientOptions: sentinels.driver,
  } as object as RedisSentinelOptions);
  const deployment = new SentinelDeployment(raw as unknown as Raw, nodes);
  const type = withCommands<SentinelBase, typeof SentinelBase>(SentinelBase, deployment.raw);
  return new type(deployment) as unknown as Sentinel<M, F, S, RESP, T>;
}
