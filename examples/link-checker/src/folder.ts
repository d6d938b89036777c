/** What a URL means in a folder: a file, a list of what a folder holds, or another address. */
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';

export type Found =
  | { kind: 'file'; name: string; size: number }
  | { kind: 'listing'; title: string; hrefs: string[] }
  | { kind: 'redirect'; location: string };

/**
 * Listings have an address of their own: a folder with a README is asked for by its name to be read,
 * and by this to be looked into.
 */
export const listingQuery = '?list';

const indexes = ['index.html', 'README.md', 'readme.md', 'index.md'];

export class Folder {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  static async open(root: string): Promise<Folder> {
    return new Folder(await realpath(root));
  }

  /** Never outside the root: neither by `..` nor by a symbolic link. */
  async find(url: string): Promise<Found | undefined> {
    const asked = parse(url);
    if (!asked) return undefined;
    const wanted = path.join(this.#root, path.normalize(`/${asked.pathname}`));
    const place = await this.#inside(wanted);
    if (!place) return undefined;
    const { name, stats } = place;
    if (stats.isFile()) {
      // One address for one file: symbolic links that lead in a circle end here.
      if (name !== wanted) return { kind: 'redirect', location: this.#address(name) };
      return { kind: 'file', name, size: stats.size };
    }
    if (!stats.isDirectory()) return undefined;
    if (asked.search !== listingQuery)
      return { kind: 'redirect', location: await this.#indexOf(name) };
    if (wanted !== path.join(name, path.sep))
      return { kind: 'redirect', location: this.#listingAddress(name) };
    return { kind: 'listing', title: asked.pathname, hrefs: await this.#entries(name) };
  }

  async #inside(wanted: string) {
    try {
      const name = await realpath(wanted);
      if (name !== this.#root && !name.startsWith(path.join(this.#root, path.sep)))
        return undefined;
      return { name, stats: await stat(name) };
    } catch {
      return undefined; // not there, or not for us to read: 404 either way
    }
  }

  async #indexOf(folder: string): Promise<string> {
    for (const index of indexes) {
      const place = await this.#inside(path.join(folder, index));
      if (place?.stats.isFile()) return this.#address(place.name);
    }
    return this.#listingAddress(folder);
  }

  /** In a stable order; without hidden names, and without links that lead out or nowhere. */
  async #entries(folder: string): Promise<string[]> {
    const entries = (await readdir(folder, { withFileTypes: true }))
      .filter(({ name }) => !name.startsWith('.'))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const hrefs: string[] = [];
    for (const entry of entries) {
      const kind = entry.isSymbolicLink()
        ? (await this.#inside(path.join(folder, entry.name)))?.stats
        : entry;
      // "./" lest a colon in the name be taken for the end of a scheme.
      const href = `./${encodeURIComponent(entry.name)}`;
      if (kind?.isDirectory()) hrefs.push(`${href}/${listingQuery}`);
      else if (kind?.isFile()) hrefs.push(href);
    }
    return hrefs;
  }

  #address(name: string): string {
    const parts = path.relative(this.#root, name).split(path.sep);
    return `/${parts.map(encodeURIComponent).join('/')}`;
  }

  #listingAddress(folder: string): string {
    const address = this.#address(folder);
    return `${address === '/' ? '' : address}/${listingQuery}`;
  }
}

function parse(url: string): { pathname: string; search: string } | undefined {
  try {
    const { pathname, search } = new URL(url, 'http://localhost');
    return { pathname: decodeURIComponent(pathname), search };
  } catch {
    return undefined;
  }
}
