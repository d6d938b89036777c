/** Clients for tests of blocking(). */

export class Session {
  #open = true;
  readonly name: string;
  readonly config = { host: 'here' };

  constructor(name: string) {
    this.name = name;
  }
  async query(text: string): Promise<string> {
    await null;
    if (!this.#open) throw new Error('closed');
    return `${this.name}: ${text}`;
  }
  release(): void {
    this.#open = false;
  }
  chain(): this {
    return this;
  }
  async self(): Promise<this> {
    return this;
  }
}

/** A client as got and axios are: a function that has methods. */
export function makeFetch(prefix: string) {
  const fetch = async (path: string) => `${prefix}${path}`;
  return Object.assign(fetch, {
    prefix,
    post: async (path: string, body: string) => `${prefix}${path} ${body}`,
    extend: (more: string) => makeFetch(prefix + more),
    itself: () => fetch,
  });
}
