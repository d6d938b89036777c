/**
 * Store: pages and links in PostgreSQL, which is also the list of what is still to be done.
 *
 * A page that is being fetched is a locked row: whoever fetches it holds a transaction, and when that is
 * killed, with its greenlet or its whole process, the server gives the row back. So any number of
 * processes may crawl together.
 */
import type { ClientBase, Pool } from '@tendril/pg';
import type { Page } from './page.js';

const schema = `
  CREATE TABLE IF NOT EXISTS pages (
    url text PRIMARY KEY,
    status int,
    title text,
    error text,
    done boolean NOT NULL DEFAULT false
  );
  CREATE INDEX IF NOT EXISTS pages_open ON pages (url) WHERE NOT done;
  CREATE TABLE IF NOT EXISTS links (
    source text NOT NULL REFERENCES pages (url),
    target text NOT NULL,
    PRIMARY KEY (source, target)
  );`;

export class Store {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  prepare(): void {
    // Processes that start together would make the tables together.
    this.#pool.transaction((client) => {
      client.query('SELECT pg_advisory_xact_lock(20260)');
      client.query(schema);
    });
  }

  /** Adds pages to the list; those that are known stay as they are. */
  add(urls: readonly string[], client: ClientBase | Pool = this.#pool): void {
    client.query('INSERT INTO pages (url) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING', [
      urls,
    ]);
  }

  /**
   * Takes a page off the list, fetches it, and keeps what it says, all in one transaction.
   * @returns false if there is none that nobody else is at
   */
  doNext(fetch: (url: string) => Page, isWanted: (url: string) => boolean): boolean {
    return this.#pool.transaction((client) => {
      const { rows } = client.query<{ url: string }>(
        'SELECT url FROM pages WHERE NOT done LIMIT 1 FOR UPDATE SKIP LOCKED',
      );
      const url = rows[0]?.url;
      if (url === undefined) return false;
      this.#keep(client, url, () => fetch(url), isWanted);
      return true;
    });
  }

  #keep(
    client: ClientBase,
    url: string,
    fetch: () => Page,
    isWanted: (url: string) => boolean,
  ): void {
    let page: Page;
    try {
      page = fetch();
    } catch (error) {
      // Of the site; a kill ends the transaction.
      if (!(error instanceof TypeError)) throw error;
      const why = error.cause instanceof Error ? error.cause.message : error.message;
      client.query('UPDATE pages SET done = true, error = $2 WHERE url = $1', [url, why]);
      return;
    }
    const { status, title, links } = page;
    client.query('UPDATE pages SET done = true, status = $2, title = $3 WHERE url = $1', [
      url,
      status,
      title,
    ]);
    client.query('INSERT INTO links SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING', [
      url,
      links,
    ]);
    // In one order everywhere: two pages with the same links would else lock each other out.
    this.add(links.filter(isWanted).sort(), client);
  }

  /** How many pages are done, and how many are not. */
  count(): { done: number; open: number } {
    const { rows } = this.#pool.query<{ done: number; open: number }>(
      'SELECT count(*) FILTER (WHERE done)::int AS done, count(*) FILTER (WHERE NOT done)::int AS open FROM pages',
    );
    return rows[0] as { done: number; open: number };
  }
}
