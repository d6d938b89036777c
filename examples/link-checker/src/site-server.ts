/** Serves folders on loopback, for checking what is not on the web yet. */
import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { park } from '@tendril/core';

const types: Record<string, string> = {
  '.md': 'text/markdown; charset=utf-8',
  '.markdown': 'text/markdown; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.htm': 'text/html; charset=utf-8',
};
const indexes = ['index.html', 'README.md', 'readme.md', 'index.md'];

/** The query that asks for the list of a folder's entries, whether or not it has an index. */
export const listQuery = '?files';

/** Answers a request itself (true), or leaves it to the folder (false). */
export type Special = (request: IncomingMessage, response: ServerResponse) => boolean;

export class SiteServer implements Disposable {
  readonly #root: string;
  readonly #special: Special;
  readonly #server: Server;
  #realRoot = '';

  constructor(root: string, special: Special = () => false) {
    this.#root = root;
    this.#special = special;
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.keepAliveTimeout = 1000;
  }

  /** Parks until the server listens; returns its URL. */
  start(): string {
    park<void>((resume) => {
      this.#server.once('error', resume.error);
      this.#server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => resume());
    });
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  [Symbol.dispose](): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (this.#special(request, response)) return;
      const url = request.url ?? '/';
      if (url.endsWith(listQuery)) {
        const list = await this.#list(url);
        response.writeHead(list ? 200 : 404, { 'content-type': 'text/html; charset=utf-8' });
        response.end(list ?? 'not found');
        return;
      }
      const file = await this.#locate(url);
      if (!file) {
        response.writeHead(404).end('not found');
        return;
      }
      if (file.redirect) {
        response.writeHead(302, { location: file.redirect }).end();
        return;
      }
      const type = types[path.extname(file.name).toLowerCase()] ?? 'application/octet-stream';
      response.writeHead(200, { 'content-type': type, 'content-length': file.size });
      if (request.method === 'HEAD') response.end();
      else
        createReadStream(file.name)
          .on('error', () => response.destroy())
          .pipe(response);
    } catch {
      response.destroy();
    }
  }

  /** A page with links to the entries of a folder. Symbolic links are left out: they may lead outside. */
  async #list(url: string): Promise<string | undefined> {
    const name = await this.#resolve(url);
    if (!name) return undefined;
    const links: string[] = [];
    for (const entry of await readdir(name, { withFileTypes: true })) {
      const target = encodeURIComponent(entry.name);
      if (entry.isDirectory()) links.push(`<li><a href="${target}/${listQuery}">${target}/</a>`);
      else if (entry.isFile()) links.push(`<li><a href="${target}">${target}</a>`);
    }
    return `<!doctype html><title>Files</title><ul>${links.join('\n')}</ul>`;
  }

  /** The real path for a URL if it is inside the root. */
  async #resolve(url: string, index = ''): Promise<string | undefined> {
    this.#realRoot ||= await realpath(this.#root);
    try {
      const pathname = decodeURIComponent(new URL(url, 'http://localhost').pathname);
      const wanted = path.join(this.#realRoot, path.normalize(`/${pathname}`), index);
      const name = await realpath(wanted);
      return name === this.#realRoot || name.startsWith(this.#realRoot + path.sep)
        ? name
        : undefined;
    } catch {
      return undefined; // not there, or not a path
    }
  }

  /** The file for a URL, never outside the root: neither by `..` nor by a symbolic link. */
  async #locate(
    url: string,
  ): Promise<{ name: string; size: number; redirect: string | undefined } | undefined> {
    for (const index of ['', ...indexes]) {
      const name = await this.#resolve(url, index);
      if (!name) continue;
      const found = await stat(name);
      if (!found.isFile()) continue;
      // An index has one address, whichever way leads to it.
      const { pathname } = new URL(url, 'http://localhost');
      const redirect = index ? path.posix.join('/', pathname, index) : undefined;
      return { name, size: found.size, redirect };
    }
    return undefined;
  }
}
