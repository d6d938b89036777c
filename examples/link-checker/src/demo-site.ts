/**
 * The site that is checked when no other is named: the files of the installed packages, their Markdown
 * and HTML read for links, among pages planted to be dead or slow. What was planted is known, so the report can be compared.
 */
import { type Dirent, readdirSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { listQuery } from './site-server.js';

const deadKinds = ['404', '500', 'reset', 'hang'] as const;

export interface PlantedSite {
  /** Paths of the dead pages. */
  dead: Set<string>;
  /** Paths of pages that are slow but well. */
  slow: Set<string>;
  special(request: IncomingMessage, response: ServerResponse): boolean;
}

/** Markdown and HTML files below `root`, in a stable order, at most `limit`. */
export function collectPages(root: string, limit: number): string[] {
  const found: string[] = [];
  const pending = [''];
  for (let folder = pending.shift(); folder !== undefined; folder = pending.shift()) {
    let entries: Dirent[];
    try {
      entries = readdirSync(path.join(root, folder), { withFileTypes: true });
    } catch {
      continue;
    }
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const name = path.posix.join(folder, entry.name);
      if (entry.isDirectory()) pending.push(name);
      else if (/\.(md|markdown|html?)$/i.test(entry.name)) found.push(name);
      if (found.length >= limit) return found;
    }
  }
  return found;
}

const link = (target: string) =>
  `<li><a href="/${target.split('/').map(encodeURIComponent).join('/')}">${target}</a></li>`;

/**
 * A start page that links to all of `pages` and to planted ones, `perKind` of each dead kind; with
 * `listing` also to the list of all files.
 */
export function plantSite(pages: string[], perKind: number, listing = false): PlantedSite {
  const dead = new Set(
    deadKinds.flatMap((kind) =>
      Array.from({ length: perKind }, (_, i) => `/planted/dead/${kind}/${i}`),
    ),
  );
  const slow = new Set(Array.from({ length: perKind * 10 }, (_, i) => `/planted/slow/${i}`));
  const all = [...pages, ...[...dead, ...slow].map((url) => url.slice(1))];
  const files = listing ? `<p><a href="/${listQuery}">All files</a>` : '';
  const index = `<!doctype html><title>Demo</title><ul>${all.map(link).join('\n')}</ul>${files}`;
  const html = { 'content-type': 'text/html; charset=utf-8' };

  function special(request: IncomingMessage, response: ServerResponse): boolean {
    const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/' && search !== listQuery) {
      response.writeHead(200, html).end(index);
      return true;
    }
    const [, planted, kind, detail, n] = pathname.split('/');
    if (planted !== 'planted') return false;
    if (kind === 'slow' && slow.has(pathname)) {
      const delay = 200 + ((Number(detail) * 137) % 1300);
      setTimeout(() => response.writeHead(200, html).end('<p id="well">slow</p>'), delay).unref();
    } else if (n !== undefined && detail === '500') response.writeHead(500).end();
    else if (n !== undefined && detail === 'reset') request.socket.destroy();
    else if (n !== undefined && detail === 'hang') return true;
    else response.writeHead(404).end();
    return true;
  }
  return { dead, slow, special };
}
