/** createSentinel(): commands go to whichever server is the master now. */
import { createSentinel as createRaw, type RedisSentinelOptions } from 'redis';
import { withCommands } from './commands.js';
import type { Delivery } from './delivery.js';
import { DeploymentCommands } from './deployment-commands.js';
import type { Send } from './lane.js';
import { parking } from './multi.js';
import { type OwnOptions, settingsOf } from './options.js';
import type { Args, CommandOptions, Raw } from './raw.js';
import { SentinelDeployment } from './sentinel-deployment.js';
import { withSignals } from './stop.js';
import type { Functions, Mapping, Modules, None, Scripts, Sentinel, Versions } from './types.js';

type Routed = (
  readonly: boolean | undefined,
  args: Args,
  options?: CommandOptions,
) => Promise<unknown>;

/** Milliseconds. What a sentinel says by itself comes at once; this finds out that it says nothing. */
const defaultScanInterval = 5000;
/** Milliseconds for which a command that blocks waits for the next master, each time it is refused. */
const changeLimit = 1000;

export class SentinelBase extends DeploymentCommands<SentinelDeployment> {
  protected guarded(send: Send, delivery: Delivery): Promise<unknown> {
    const { typeMapping } = this.commandOptions;
    return this.deployment.during({ delivery, typeMapping }, () => send(this.view));
  }

  protected locate(): Promise<Raw> {
    return this.deployment.master;
  }
  protected locateAddress(): Promise<Raw> {
    return this.deployment.master;
  }

  // It was the master: node-redis is about to hear of the other one.
  protected refresh(): void {
    this.deployment.nodes.changed.wait({ timeout: changeLimit });
  }

  /** As node-redis's: `isReadonly` commands may go to a replica. */
  sendCommand<T = unknown>(
    isReadonly: boolean | undefined,
    args: Args,
    options?: CommandOptions,
  ): T {
    return this.askOrBlock(undefined, args, options, (raw) => {
      const to = raw as unknown as { sendCommand: Routed };
      return to.sendCommand(isReadonly, args, options);
    }) as T;
  }

  multi(): object {
    const multi = this.deployment.multi(this.view, this.commandOptions.typeMapping);
    return parking(multi, (send) => this.ask(send));
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
  const { commandOptions } = given;
  const own = { commandOptions, acquireTimeout, blockingConnections } as OwnOptions;
  const settings = settingsOf({ ...given.nodeClientOptions, ...own } as object);
  const sentinels = settingsOf(given.sentinelClientOptions as object);
  const raw = createRaw({
    scanInterval: defaultScanInterval,
    ...given,
    nodeClientOptions: { ...settings.driver, socket: withSignals(settings.driver.socket ?? {}) },
    sentinelClientOptions: sentinels.driver,
  } as object as RedisSentinelOptions);
  const useReplicas = (given.replicaPoolSize ?? 0) > 0;
  const deployment = new SentinelDeployment(raw as unknown as Raw, settings, useReplicas);
  const type = withCommands<SentinelBase, typeof SentinelBase>(SentinelBase, deployment.raw);
  return new type(deployment) as unknown as Sentinel<M, F, S, RESP, T>;
}
