/** createClient() and createClientPool(). */
import { ClientBase } from './client.js';
import { ClientPoolBase } from './client-pool.js';
import { withCommands } from './commands.js';
import { Connection } from './connection.js';
import { makeClient } from './make-client.js';
import { settingsOf } from './options.js';
import { PoolHost, type PoolOptions } from './pool-host.js';
import type {
  Client,
  ClientOptions,
  ClientPool,
  Functions,
  Mapping,
  Modules,
  None,
  Scripts,
  Versions,
} from './types.js';

/**
 * A client with node-redis's options, and `acquireTimeout` and `blockingConnections`. `connect()` it,
 * and share it between greenlets: the commands of one turn go out in one write.
 */
export function createClient(options?: ClientOptions<None, None, None, 3, None>): Client;
export function createClient<
  M extends Modules = None,
  F extends Functions = None,
  S extends Scripts = None,
  RESP extends Versions = 3,
  T extends Mapping = None,
>(options?: ClientOptions<M, F, S, RESP, T>): Client<M, F, S, RESP, T>;
// First and last: most calls have no modules, and ReturnType<typeof createClient> sees the last. With the
// constraints in place of the defaults TypeScript would compare every command of every possible module,
// and run out of memory.
export function createClient(options?: ClientOptions<None, None, None, 3, None>): Client;
export function createClient(options?: object): unknown {
  const connection = new Connection(settingsOf(options as object), makeClient);
  const type = withCommands<ClientBase, typeof ClientBase>(ClientBase, connection.raw);
  return new type(connection);
}

/**
 * A pool with node-redis's options: every command has a connection for itself, so that slow ones stop
 * nobody. `connect()` it before use.
 */
export function createClientPool(
  clientOptions?: ClientOptions<None, None, None, 3, None>,
  options?: PoolOptions,
): ClientPool;
export function createClientPool<
  M extends Modules = None,
  F extends Functions = None,
  S extends Scripts = None,
  RESP extends Versions = 3,
  T extends Mapping = None,
>(
  clientOptions?: ClientOptions<M, F, S, RESP, T>,
  options?: PoolOptions,
): ClientPool<M, F, S, RESP, T>;
export function createClientPool(
  clientOptions?: ClientOptions<None, None, None, 3, None>,
  options?: PoolOptions,
): ClientPool;
export function createClientPool(clientOptions?: object, options?: PoolOptions): unknown {
  const settings = settingsOf(clientOptions as object);
  const model = makeClient(settings.driver);
  const type = withCommands<ClientPoolBase, typeof ClientPoolBase>(ClientPoolBase, model);
  return new type(new PoolHost(settings, model, options));
}
