/** Serves a folder on loopback. Plain Node and no greenlets: it has a thread to itself. */
import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { Folder } from './folder.js';
import { htmlHeaders, linkList } from './html.js';

const types: Record<string, string> = {
  '.md': 'text/markdown; charset=utf-8',
  '.markdown': 'text/markdown; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.htm': 'text/html; charset=utf-8',
};

/** Answers a request itself (true), or leaves it to the folder (false). */
export type Special = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Resolves with the site's origin once it listens. */
export async function serveSite(root: string, special: Special): Promise<string> {
  const folder = await Folder.open(root);
  const server = createServer((request, response) => {
    if (special(request, response)) return;
    answer(folder, request, response).catch(() => response.destroy());
  });
  // Longer than a crawl pauses: a connection closed just as it is used again would look like a dead link.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function answer(
  folder: Folder,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const found = await folder.find(request.url ?? '/');
  if (!found) response.writeHead(404).end('not found');
  else if (found.kind === 'redirect') response.writeHead(302, { location: found.location }).end();
  else if (found.kind === 'listing')
    response.writeHead(200, htmlHeaders).end(linkList(found.title, found.hrefs));
  else {
    const type = types[path.extname(found.name).toLowerCase()] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, 'content-length': found.size });
    if (request.method === 'HEAD') response.end();
    else
      createReadStream(found.name)
        .on('error', () => response.destroy())
        .pipe(response);
  }
}
