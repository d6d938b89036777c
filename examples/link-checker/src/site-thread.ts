/**
 * The site in a thread of its own. On the crawler's event loop its work would be part of every latency
 * that the crawler measures.
 */
import { Worker } from 'node:worker_threads';
import { park, wait } from '@tendril/core';

export interface SiteSettings {
  root: string;
  /** Planted pages of each dead kind; 0 for none. */
  plantedPerKind: number;
}

/** The site cannot be served (any more). */
export class SiteError extends Error {
  override name = 'SiteError';
  readonly code = 'ERR_SITE_DOWN';
}

export class SiteThread implements Disposable {
  readonly #worker: Worker;
  /** Called when the thread ends by itself, which it never should. */
  onFailure: (error: SiteError) => void = () => {};

  constructor(settings: SiteSettings) {
    this.#worker = new Worker(new URL('./site-worker.js', import.meta.url), {
      workerData: settings,
    });
    this.#worker.once('error', (cause) =>
      this.#fail(new SiteError(`The site's thread failed: ${cause}`, { cause })),
    );
    this.#worker.once('exit', (code) =>
      this.#fail(new SiteError(`The site's thread ended with ${code}`)),
    );
  }

  /** Parks until the site is served; returns its origin. */
  start(): string {
    return park<string>((resume) => {
      this.onFailure = resume.error;
      this.#worker.once('message', resume);
    });
  }

  /** An error is followed by the exit that it leads to: the first of the two says more. */
  #fail(error: SiteError): void {
    const report = this.onFailure;
    this.onFailure = () => {};
    report(error);
  }

  /** Parks until the thread is gone, and its connections with it. */
  [Symbol.dispose](): void {
    this.onFailure = () => {};
    wait(this.#worker.terminate());
  }
}
