/** Client: a connection of one's own. */
import { ClientBase } from './client-base.js';
import { ClientClosedError } from './errors.js';
import { type Listener, listen } from './listener.js';
import { type ClientOptions, optionsOf } from './options.js';
import { Session } from './session.js';

/** For what the server is asked to take at the end. */
const endLimit = 3000;

/**
 * A connection, to be used by any number of greenlets: one query runs after the other, with `pipeline`
 * without waiting for each answer. A transaction belongs to one greenlet, and the others wait until it has ended;
 * for those that are to run side by side use a Pool.
 *
 * @example
 *     using client = new Client('postgres://localhost/app');
 *     client.connect();
 *     const { rows } = client.query('SELECT * FROM users WHERE id = $1', [id]);
 */
export class Client extends ClientBase implements Disposable {
  readonly #options: ClientOptions;
  readonly #session: Session;
  readonly #listeners = new Set<Listener>();
  #ended = false;

  /** Does not connect yet. @throws InvalidArgumentError, and what pg throws for its options */
  constructor(options?: string | ClientOptions) {
    super();
    this.#options = optionsOf(options);
    this.#session = new Session(this.#options);
  }

  /** Parks until the server has let us in. @throws ConnectTimeoutError, DatabaseError, Node's errors */
  connect(): this {
    this.#session.connect();
    return this;
  }

  /** Notifications of `channel`, on a connection beside this one. */
  listen(channel: string): Listener {
    if (this.#ended) throw new ClientClosedError();
    return listen(this.#options, channel, this.#listeners);
  }

  /** Ends the connection, and parks until it is closed. Queries that run are stopped, as pg does. */
  end(): void {
    this.#close();
    this.#session.gone.wait({ timeout: endLimit });
  }

  #close(): void {
    this.#ended = true;
    this.#session.end();
    for (const each of this.#listeners) each.close();
  }

  /** As {@link end}, without waiting. */
  [Symbol.dispose](): void {
    this.#close();
  }

  protected get session(): Session {
    return this.#session;
  }

  get host(): string {
    return this.#session.raw.host;
  }
  get port(): number {
    return this.#session.raw.port;
  }
  get database(): string | undefined {
    return this.#session.raw.database;
  }
  get user(): string | undefined {
    return this.#session.raw.user;
  }
}
