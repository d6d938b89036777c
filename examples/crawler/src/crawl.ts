/** The crawl: workers that take pages off the list until there are none. */
import { joinall, killall, sleep, spawn } from '@tendril/core';
import { fetchPage } from './page.js';
import type { Store } from './store.js';

export interface CrawlOptions {
  /** Where it begins; only its origin is crawled. */
  start: string;
  workers: number;
  /** Milliseconds for a page. */
  timeout: number;
}

/** Milliseconds after which a worker that found nothing to do looks again. */
const lookAgain = 50;

/** Parks until all is done. A kill ends the workers, and gives back what they were at. */
export function crawl(store: Store, { start, workers, timeout }: CrawlOptions): void {
  const { origin } = new URL(start);
  const isWanted = (url: string) => new URL(url).origin === origin;
  const fetch = (url: string) => fetchPage(url, timeout);
  store.add([start]);
  const work = () => {
    for (;;) {
      if (store.doNext(fetch, isWanted)) continue;
      // What is left is somebody else's work, and may lead to more.
      if (store.count().open === 0) return;
      sleep(lookAgain);
    }
  };
  const all = Array.from({ length: workers }, () => spawn(work));
  try {
    joinall(all, { raiseError: true });
  } finally {
    killall(all);
  }
}
