/** SentinelDeployment: node-redis's sentinel finds the master, whose connection gets the commands. */
import { ClientOfflineError, type TypeMapping } from 'redis';
import type { Delivery, Execute } from './delivery.js';
import { Deployment } from './deployment.js';
import type { Settings } from './options.js';
import type { Raw, RawMulti } from './raw.js';
import { checkMulti } from './rules.js';

/** With what node-redis's own commands are made of. */
interface RawSentinel extends Omit<Raw, 'Multi'> {
  /** The one behind all its views. */
  readonly _self: RawSentinel;
  _execute(isReadonly: boolean | undefined, execute: Execute): Promise<unknown>;
  readonly Multi: new (sentinel: object, typeMapping?: TypeMapping) => RawMulti;
}

type ExecuteMulti = (isReadonly: boolean, commands: unknown[]) => Promise<unknown[]>;
/** By which a multi() is sent. */
interface MultiTarget {
  _executeMulti: ExecuteMulti;
  _executePipeline: ExecuteMulti;
}

interface Current {
  readonly delivery: Delivery;
  /** Transactions have no other way to learn it. */
  readonly typeMapping: TypeMapping | undefined;
}

export class SentinelDeployment extends Deployment {
  readonly #sentinel: RawSentinel;
  readonly #useReplicas: boolean;
  /** As node-redis has made it; it reconnects, until another server is the master. */
  #master: Raw | undefined;
  /** Of the command that node-redis is being given. */
  #current: Current | undefined;

  constructor(raw: Raw, settings: Settings, useReplicas: boolean) {
    super(raw, settings);
    this.#sentinel = (raw as unknown as RawSentinel)._self;
    this.#useReplicas = useReplicas;
    const original = this.#sentinel._execute;
    const through = (isReadonly: boolean | undefined, execute: Execute) =>
      original.call(this.#sentinel, isReadonly, execute);
    // Its own would keep a command for as long as the master is away, ask the sentinels without a pause
    // meanwhile, and send again what may have been carried out.
    this.#sentinel._execute = (isReadonly, execute) => {
      if (!this.#current) return through(isReadonly, execute);
      const { delivery, typeMapping } = this.#current;
      const guarded = delivery.guard(execute);
      if (isReadonly && this.#useReplicas)
        return through(isReadonly, (node, options) => {
          this.nodes.watch(node);
          return guarded(node, options);
        });
      if (!this.#master) return Promise.reject(new ClientOfflineError());
      const typed = typeMapping && this.#master.withCommandOptions({ typeMapping });
      return guarded(typed || this.#master);
    };
    // Whenever it has connected to a master, the first or the next.
    raw.on('ready', () => {
      through(false, async (master) => this.#use(master)).catch((error) => this.onError(error));
    });
  }

  #use(master: Raw): void {
    this.#master = master;
    this.nodes.watch(master);
    this.nodes.notify();
  }

  get master(): Promise<Raw> {
    return this.#master ? Promise.resolve(this.#master) : Promise.reject(new ClientOfflineError());
  }

  /** `start` calls one of node-redis's commands, which `delivery` guards. */
  during(current: Current, start: () => Promise<unknown>): Promise<unknown> {
    this.#current = current;
    try {
      return start();
    } finally {
      this.#current = undefined;
    }
  }

  multi(view: Raw, typeMapping: TypeMapping | undefined): RawMulti {
    const { _executeMulti: transaction, _executePipeline: pipeline } =
      view as unknown as MultiTarget;
    const methods: MultiTarget = {
      async _executeMulti(isReadonly, commands) {
        checkMulti(commands, 'shared', false);
        return transaction.call(view, isReadonly, commands);
      },
      async _executePipeline(isReadonly, commands) {
        checkMulti(commands, 'shared', true);
        return pipeline.call(view, isReadonly, commands);
      },
    };
    const checked = Object.assign(Object.create(view), methods);
    return new this.#sentinel.Multi(checked, typeMapping);
  }

  // The sentinels tell node-redis, and it asks them every `scanInterval`.
  protected lookAround(): void {}
}
