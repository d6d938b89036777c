/**
 * The crawl, in straight lines: a queue of URLs, a pool of greenlets, a timeout around each request. No
 * await anywhere.
 */
import { getHub, isExit, Pool, Queue, rethrowExit, spawn, wait, withTimeout } from '@tendril/core';
import { pageLinks, resolveLink } from './links.js';

export interface CrawlOptions {
  start: string;
  /** Greenlets at a time. */
  concurrency: number;
  /** Milliseconds for one request, its body included. */
  timeout: number;
  maxPages: number;
  /** Check links that lead to other origins, too (they are never crawled). */
  external: boolean;
  fragments: boolean;
}

export interface Broken {
  page: string;
  link: string;
  /** Status code, error code, or what is missing. */
  reason: string;
}

export interface CrawlResult {
  pages: number;
  requests: number;
  links: number;
  broken: Broken[];
  /** Of each request, in milliseconds. */
  latencies: number[];
  peakGreenlets: number;
  peakMemory: number;
  seconds: number;
  /** False if the crawl was stopped. */
  complete: boolean;
}

interface Outcome {
  problem: string | undefined;
  anchors: Set<string> | undefined;
}

interface Reference {
  page: string;
  link: string;
  url: string;
  fragment: string;
}

/** Bodies beyond this are not read for links. */
const largestPage = 5 * 1024 * 1024;

export class Crawler {
  readonly #options: CrawlOptions;
  readonly #origin: string;
  readonly #queue = new Queue<string>();
  readonly #pool: Pool;
  readonly #outcomes = new Map<string, Outcome>();
  readonly #queued = new Set<string>();
  /** Pages by the URL they were found at in the end: one page may be reached by several. */
  readonly #followed = new Set<string>();
  readonly #references: Reference[] = [];
  readonly #latencies: number[] = [];
  readonly #started = performance.now();
  #pages = 0;
  #peakGreenlets = 0;
  #peakMemory = 0;
  #complete = false;
  /** Requests whose clean-up has run: as many as were made, also after a kill. */
  finished = 0;
  requests = 0;

  constructor(options: CrawlOptions) {
    this.#options = options;
    this.#origin = new URL(options.start).origin;
    this.#pool = new Pool(options.concurrency);
  }

  /** Crawls until nothing is left. A kill of the greenlet that called it stops every request. */
  run(): void {
    this.#enqueue(this.#options.start);
    const feeder = spawn(() => {
      for (const url of this.#queue) this.#pool.spawn(() => this.#visit(url));
    });
    try {
      this.#queue.join();
      this.#complete = true;
    } finally {
      // The queue last: a page that is just being read would take its end for a fault of the page.
      feeder.kill();
      this.#pool.kill();
      this.#queue.shutdown({ immediate: true });
    }
  }

  #enqueue(url: string): void {
    if (this.#queued.has(url) || this.#queued.size >= this.#options.maxPages) return;
    this.#queued.add(url);
    this.#queue.put(url);
  }

  /** One URL: fetch it, note how it went, follow its links. */
  #visit(url: string): void {
    try {
      this.#peakGreenlets = Math.max(this.#peakGreenlets, getHub().taskCount);
      if (this.requests % 64 === 0)
        this.#peakMemory = Math.max(this.#peakMemory, process.memoryUsage.rss());
      this.#outcomes.set(url, this.#fetch(url));
    } finally {
      this.finished++;
      if (!this.#queue.isShutDown) this.#queue.taskDone();
    }
  }

  #fetch(url: string): Outcome {
    const began = performance.now();
    this.requests++;
    const inside = url.startsWith(this.#origin);
    try {
      return withTimeout(this.#options.timeout, () => {
        let method = inside && mayBePage(url) ? 'GET' : 'HEAD';
        let response = request(url, method);
        if (inside && method === 'HEAD' && (isPage(response) || refusesHead(response))) {
          method = 'GET';
          response = request(url, method);
        }
        if (!response.ok || method === 'HEAD' || !isPage(response)) {
          wait(response.body?.cancel() ?? Promise.resolve());
          return { problem: response.ok ? undefined : `${response.status}`, anchors: undefined };
        }
        const type = contentType(response);
        const body = wait(response.text());
        return { problem: undefined, anchors: this.#follow(response.url || url, body, type) };
      });
    } catch (error) {
      rethrowExit(error);
      return { problem: describe(error), anchors: undefined };
    } finally {
      this.#latencies.push(performance.now() - began);
    }
  }

  #follow(page: string, body: string, type: string): Set<string> | undefined {
    const found = pageLinks(body, type);
    if (!found) return undefined;
    if (this.#followed.has(page)) return found.anchors;
    this.#followed.add(page);
    this.#pages++;
    for (const link of found.links) {
      const target = resolveLink(link, page);
      if (!target) continue;
      if (!target.url.startsWith(this.#origin) && !this.#options.external) continue;
      this.#references.push({ page, link, ...target });
      this.#enqueue(target.url);
    }
    return found.anchors;
  }

  progress(): { pages: number; done: number; known: number; running: number } {
    return {
      pages: this.#pages,
      done: this.finished,
      known: this.#queued.size,
      running: this.#pool.size,
    };
  }

  /** What is known so far; the whole of it once {@link run} has returned. */
  result(): CrawlResult {
    const broken: Broken[] = [];
    for (const { page, link, url, fragment } of this.#references) {
      const outcome = this.#outcomes.get(url);
      if (!outcome) continue;
      if (outcome.problem) broken.push({ page, link, reason: outcome.problem });
      else if (this.#options.fragments && fragment && lacks(outcome.anchors, fragment))
        broken.push({ page, link, reason: `no #${fragment}` });
    }
    const start = this.#outcomes.get(this.#options.start);
    if (start?.problem)
      broken.push({ page: '(start)', link: this.#options.start, reason: start.problem });
    return {
      pages: this.#pages,
      requests: this.requests,
      links: this.#references.length,
      broken,
      latencies: this.#latencies,
      peakGreenlets: this.#peakGreenlets,
      peakMemory: Math.max(this.#peakMemory, process.memoryUsage.rss()),
      seconds: (performance.now() - this.#started) / 1000,
      complete: this.#complete,
    };
  }
}

const request = (url: string, method: string) => wait((signal) => fetch(url, { signal, method }));

const contentType = (response: Response) => response.headers.get('content-type') ?? '';

function isPage(response: Response): boolean {
  const size = Number(response.headers.get('content-length') ?? 0);
  return response.ok && /^text\/(html|markdown)/.test(contentType(response)) && size <= largestPage;
}

const refusesHead = ({ status }: Response) => status === 405 || status === 501;

/** A guess by the name, to spare a GET of what is only checked to be there. */
function mayBePage(url: string): boolean {
  const extension = /\.([^./]+)$/.exec(new URL(url).pathname)?.[1];
  return extension === undefined || /^(md|markdown|x?html?)$/i.test(extension);
}

function lacks(anchors: Set<string> | undefined, fragment: string): boolean {
  if (!anchors || fragment === 'top' || /^L\d+/.test(fragment)) return false;
  return !anchors.has(fragment) && !anchors.has(fragment.toLowerCase());
}

function describe(error: unknown): string {
  if (isExit(error)) return 'stopped';
  const { cause, code, message } = error as Error & { code?: string; cause?: { code?: string } };
  if (code === 'ERR_TIMEOUT') return 'timeout';
  return cause?.code ?? code ?? message;
}
