/** What the tests of sockets and servers share: real loopback connections, certificates. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { run, sleep, spawn, wait } from '@tendril/core';
import { connect, type Listener, listen, type Socket } from '@tendril/core/socket';

/** A test's body in a greenlet, in real time. */
export function inRealTime(body: () => void): () => Promise<void> {
  return () => run(body) as Promise<void>;
}

/** A temporary folder that goes at the end of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tendril-io-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Both ends of a loopback connection: the one that connected, and the one that was accepted. */
export function connected(): { client: Socket; server: Socket; [Symbol.dispose](): void } {
  using listener: Listener = listen({ port: 0, host: '127.0.0.1' });
  const client = connect({ port: listener.port, host: '127.0.0.1' });
  const server = listener.accept();
  return {
    client,
    server,
    [Symbol.dispose]() {
      client.destroy();
      server.destroy();
    },
  };
}

export interface Certificate {
  key: string;
  cert: string;
}

/** A self-signed certificate for `localhost`, or one that `ca` has signed. */
export function makeCertificate(folder: string, name: string): Certificate {
  const key = path.join(folder, `${name}.key`);
  const cert = path.join(folder, `${name}.crt`);
  const parameters = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const files = ['-keyout', key, '-out', cert, '-days', '2'];
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  execFileSync('openssl', ['req', '-x509', ...parameters, ...files, ...names], { stdio: 'pipe' });
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}

/** Whether an error has this code. */
export const code = (expected: string) => (error: unknown) =>
  (error as { code?: string }).code === expected;

/** Starts `body` and lets it run until it parks. */
export function started<R>(body: () => R) {
  const greenlet = spawn(body);
  sleep(0);
  return greenlet;
}

/**
 * Parks until `condition` holds: the state itself, however long a busy machine takes to get there. In real
 * time, whatever the hub's clock is.
 */
export function until(condition: () => boolean): void {
  const limit = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > limit) throw new Error(`never came true: ${condition}`);
    wait(new Promise<void>((resolve) => setTimeout(resolve, 1)));
  }
}

/** What a greenlet has come to: its value, or the code of its error. */
export function outcomeOf(greenlet: { join(): void; value: unknown; exception: unknown }): unknown {
  greenlet.join();
  return greenlet.exception ? (greenlet.exception as { code: string }).code : greenlet.value;
}
