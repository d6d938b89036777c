/**
 * The pages that the demonstration plants among real files, to be dead or slow. What was planted is
 * known, so the report can be compared.
 */
import { listingQuery } from './folder.js';
import { htmlHeaders, linkList } from './html.js';
import type { Special } from './site-server.js';

const deadKinds = ['404', '500', 'reset', 'hang'] as const;

/** The list of all planted pages, where the demonstration starts. */
export const plantedStart = '/planted/';

export interface PlantedPaths {
  dead: Set<string>;
  /** Slow, but well. */
  slow: Set<string>;
}

export function plantedPaths(perKind: number): PlantedPaths {
  const numbered = (folder: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${plantedStart}${folder}/${i}`);
  return {
    dead: new Set(deadKinds.flatMap((kind) => numbered(`dead/${kind}`, perKind))),
    slow: new Set(numbered('slow', perKind * 10)),
  };
}

/** Answers for the planted pages; leaves everything else to the folder. */
export function plantedAnswers({ dead, slow }: PlantedPaths): Special {
  // The planted come first: a limit on the number of URLs cuts off real files and none of these.
  const start = linkList('Demo', [...dead, ...slow, `/${listingQuery}`]);
  return (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (slow.has(pathname)) {
      const delay = 200 + ((Number(pathname.split('/').at(-1)) * 137) % 1300);
      setTimeout(() => response.writeHead(200, htmlHeaders).end('<p>slow</p>'), delay);
    } else if (dead.has(pathname)) {
      const kind = pathname.split('/').at(-2);
      if (kind === 'reset') request.socket.destroy();
      else if (kind !== 'hang') response.writeHead(Number(kind)).end();
    } else if (pathname === plantedStart && dead.size > 0) {
      response.writeHead(200, htmlHeaders).end(start);
    } else return false;
    return true;
  };
}
