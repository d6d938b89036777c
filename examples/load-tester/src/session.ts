/** Session: what a scripted user has in hand: requests that park, cookies, and checks. */
import http from 'node:http';
import https from 'node:https';
import { park, TendrilError, Timeout } from '@tendril/core';
import { lookup } from '@tendril/core/resolver';
import type { Metrics } from './metrics.js';

export interface RequestOptions {
  /** Under what name it is counted; default method and path without numbers. */
  name?: string;
  headers?: Record<string, string>;
  /** A string, or an object that is sent as JSON. */
  body?: string | object;
  /** The status that it must have; default any below 400. */
  expect?: number;
}

export interface Reply {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
  /** The body as JSON. @throws SyntaxError */
  json(): unknown;
}

/** A reply that is not as it should be: it is counted, and ends this turn of the user's script. */
export class CheckError extends Error {}

/** `/item/17/edit` and `/item/18/edit` are the same page. */
function pageOf(method: string, path: string): string {
  return `${method} ${path.replace(/\?.*$/, '').replace(/\d+/g, 'N')}`;
}

export interface SessionSettings {
  origin: string;
  metrics: Metrics;
  /** Milliseconds for a request. */
  timeout: number;
}

export class Session {
  readonly #settings: SessionSettings;
  readonly #cookies = new Map<string, string>();
  // As a browser: a few connections of its own, kept open.
  readonly #agent: http.Agent;
  #last = '';

  constructor(settings: SessionSettings) {
    this.#settings = settings;
    const options = { keepAlive: true, maxSockets: 6 };
    const isSecure = settings.origin.startsWith('https:');
    this.#agent = isSecure ? new https.Agent(options) : new http.Agent(options);
  }

  get(path: string, options?: RequestOptions): Reply {
    return this.request('GET', path, options);
  }
  post(path: string, body: string | object, options?: RequestOptions): Reply {
    return this.request('POST', path, { ...options, body });
  }

  /** Parks until the reply is there, whole. @throws CheckError for a failure, which is counted */
  request(method: string, path: string, options: RequestOptions = {}): Reply {
    const { metrics, timeout } = this.#settings;
    const name = options.name ?? pageOf(method, path);
    this.#last = name;
    const begun = performance.now();
    using limit = Timeout.startNew(timeout);
    let reply: Reply;
    try {
      reply = this.#send(method, path, options);
    } catch (error) {
      if (error === limit) throw this.#failed(name, `no reply within ${timeout} ms`);
      // A kill or a timeout of the script, which have codes, too; or a bug.
      const { code } = error as NodeJS.ErrnoException;
      if (error instanceof TendrilError || code === undefined) throw error;
      throw this.#failed(name, code);
    }
    metrics.answered(name, performance.now() - begun);
    const { expect } = options;
    const isFine = expect === undefined ? reply.status < 400 : reply.status === expect;
    if (!isFine) throw this.#failed(name, `status ${reply.status}`);
    return reply;
  }

  /** Counts a failure of the last request, and ends this turn, unless `holds`. @throws CheckError */
  check(holds: unknown, what: string): asserts holds {
    if (!holds) throw this.#failed(this.#last, what);
  }

  #failed(name: string, why: string): CheckError {
    this.#settings.metrics.failed(name, why);
    return new CheckError(`${name}: ${why}`);
  }

  #send(method: string, path: string, { headers, body }: RequestOptions): Reply {
    const isJson = typeof body === 'object';
    const content = isJson ? JSON.stringify(body) : body;
    const options = {
      method,
      agent: this.#agent,
      lookup,
      headers: {
        ...(isJson && { 'content-type': 'application/json' }),
        ...(content !== undefined && { 'content-length': String(Buffer.byteLength(content)) }),
        ...(this.#cookies.size > 0 && { cookie: this.#cookieHeader() }),
        ...headers,
      },
    };
    const url = new URL(path, this.#settings.origin);
    const client = url.protocol === 'https:' ? https : http;
    return park<Reply>((resume) => {
      const request = client.request(url, options as http.RequestOptions, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece: string) => {
          text += piece;
        });
        response.on('error', resume.error);
        response.on('end', () => resume(this.#reply(response, text)));
      });
      request.on('error', resume.error);
      request.end(content);
      return () => request.destroy();
    });
  }

  #reply(response: http.IncomingMessage, body: string): Reply {
    for (const line of response.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=;]+)=([^;]*)/.exec(line) ?? [];
      if (name) this.#cookies.set(name.trim(), value.trim());
    }
    const { headers, statusCode = 0 } = response;
    return { status: statusCode, headers, body, json: () => JSON.parse(body) as unknown };
  }

  #cookieHeader(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  /** Closes its connections. */
  close(): void {
    this.#agent.destroy();
  }
}
