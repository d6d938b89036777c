import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run, sleep, wait } from '@tendril/core';
import { connect as connectSocket, type Socket } from '@tendril/core/socket';
import { type Application, WSGIServer } from '@tendril/wsgi';
import { WebSocket as Raw } from 'ws';

/** A test's own server, on a port of its own. */
export interface Site {
  readonly server: WSGIServer;
  readonly url: string;
}

/** Runs `use` in a greenlet while a server serves `app`. */
export function served<R>(app: Application, use: (site: Site) => R): Promise<Awaited<R>> {
  return run(() => {
    using server = new WSGIServer({ port: 0, host: '127.0.0.1' }, app);
    server.start();
    const result = use({ server, url: `ws://127.0.0.1:${server.port}/` });
    server.stop({ timeout: 0 });
    return result;
  });
}

/** Parks until `condition` holds. */
export function until(condition: () => boolean, ms = 30_000): void {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${condition}`);
    sleep(5);
  }
}

/** Parks until a number has stopped growing. */
export function steady(value: () => number): number {
  for (let before = -1, now = value(); ; before = now, now = value()) {
    if (now === before) return now;
    sleep(50);
  }
}

/** A client that is ws itself. */
export function rawClient(url: string, options?: ConstructorParameters<typeof Raw>[2]): Raw {
  const raw = new Raw(url, options);
  wait(once(raw, 'open'));
  return raw;
}

/** The arguments of the next event. */
export function next(raw: Raw, event: string): unknown[] {
  return wait(once(raw, event), { timeout: 30_000 });
}

/** Sends a request head, and gives the head of the response. */
export function ask(site: Site, lines: string[], before?: (socket: Socket) => void): string {
  using socket = connectSocket({ host: '127.0.0.1', port: site.server.port });
  socket.sendAll(`${lines.join('\r\n')}\r\n\r\n`);
  before?.(socket);
  return socket.readUntil('\r\n\r\n', { timeout: 30_000 }).toString();
}

/** A self-signed certificate for `localhost`. */
export function certificate(): { key: Buffer; cert: Buffer } {
  const dir = mkdtempSync(path.join(tmpdir(), 'tendril-websocket-'));
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => path.join(dir, name)) as [
    string,
    string,
  ];
  try {
    const kind = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
    ];
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const files = ['-keyout', key, '-out', cert];
    execFileSync('openssl', ['req', '-x509', ...kind, ...names, ...files], { stdio: 'pipe' });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
