/** Serves folders on loopback, for checking what is not on the web yet. */
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
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
      const file = await this.#locate(request.url ?? '/');
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

  /** The file for a URL, never outside the root: neither by `..` nor by a symbolic link. */
  async #locate(
    url: string,
  ): Promise<{ name: string; size: number; redirect: string | undefined } | undefined> {
    this.#realRoot ||= await realpath(this.#root);
    let pathname: string;
    try {
      pathname = decodeURIComponent(new URL(url, 'http://localhost').pathname);
    } catch {
      return undefined;
    }
    const wanted = path.join(this.#realRoot, path.normalize(`/${pathname}`));
    for (const index of ['', ...indexes]) {
      try {
        const name = await realpath(path.join(wanted, index));
        if (name !== this.#realRoot && !name.startsWith(this.#realRoot + path.sep)) continue;
        const found = await stat(name);
        // An index has one address, whichever way leads to it.
        const redirect = index ? path.posix.join('/', pathname, index) : undefined;
        if (found.isFile())
          return { name, size: found.size, redirect: redirect && encodeURI(redirect) };
      } catch {
        // try the next one
      }
    }
    return undefined;
  }
}
