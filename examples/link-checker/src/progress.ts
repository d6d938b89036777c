/** Progress: one live line on a terminal, a plain line now and then elsewhere. */
import { type Greenlet, sleep, spawn } from '@tendril/core';
import type { Crawler } from './crawler.js';

export function showProgress(crawler: Crawler, stream: NodeJS.WriteStream): Greenlet {
  const live = stream.isTTY === true;
  return spawn(() => {
    try {
      for (;;) {
        sleep(live ? 100 : 2000);
        const { pages, done, known, running } = crawler.progress();
        const line = `${done}/${known} checked, ${pages} pages, ${running} requests under way`;
        stream.write(live ? `\r\x1b[K${line}` : `${line}\n`);
      }
    } finally {
      if (live) stream.write('\r\x1b[K');
    }
  });
}
