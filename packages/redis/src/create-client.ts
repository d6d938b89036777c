/** createClient(). */
import { createClient as createRaw } from 'redis';
import { ClientBase } from './client.js';
import { withCommands } from './commands.js';
import { Connection } from './connection.js';
import { settingsOf } from './options.js';
import type { Raw } from './raw.js';
import type { Client, ClientOptions, Functions, Mapping, Modules, None, Scripts, Versions } from './types.js';

/**
 * A client with node-redis's options, and `acquireTimeout` and `blockingConnections`. `connect()` it,
 * and share it between greenlets: the commands of one turn go out in one write.
 */
export function createClient<
  M extends Modules = None,
  F extends Functions = None,
  S extends Scripts = None,
  RESP extends Versions = 3,
  T extends Mapping = None,
>(options?: ClientOptions<M, F, S, RESP, T>): Client<M, F, S, RESP, T> {
  const make = (given: object) => createRaw(given) as unknown as Raw;
  const connection = new Connection(settingsOf(options as object), make);
  const type = withCommands<ClientBase, typeof ClientBase>(ClientBase, connection.raw);
  return new type(connection) as unknown as Client<M, F, S, RESP, T>;
}
