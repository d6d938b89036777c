// Starts a private server for tests, on a free port of the loopback and in a temporary folder, and
// owns it: it ends with this process, and this process with its standard input.
//
//   node tools/services/main.mjs postgres|mariadb|redis|memcached [-- more arguments of the server]
//
// Prints a line of JSON when the server is ready: { kind, host, port, user, password, database, ca, pid },
// where `ca` is the file of the certificate of a server that speaks TLS.
// Takes commands, a line each, and answers each with such a line: `kill` (SIGKILL), `start` (again, with
// the same port and data), `pause` and `resume` (SIGSTOP, SIGCONT).

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { kinds } from './kinds.mjs';

const startLimit = 60_000;

/** For what is left of a server that was killed to get out of the way of the next. */
const aftermath = 10_000;

/**
 * Below the ports that systems give to whoever asks for any (from 32768 on Linux, from 49152 elsewhere):
 * of those one may be somebody's connection by the time that a killed server wants it back.
 *
 * @returns {Promise<number>}
 */
async function freePort() {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 10_000);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue; // somebody else's
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** @param {number} port */
function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

class Service {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child;
  #log = '';
  #ended = Promise.resolve();

  /**
   * @param {string} kind
   * @param {string[]} more
   * @param {string} folder
   * @param {number} port
   */
  constructor(kind, more, folder, port) {
    this.kind = kind;
    this.more = more;
    this.folder = folder;
    this.port = port;
    this.definition = kinds[kind];
  }

  prepare() {
    this.owner = this.definition.prepare(this.folder);
  }

  /**
   * Again, if it does not come up: as long as there are children of a PostgreSQL that was killed, their shared
   * memory keeps the next one out.
   */
  async start() {
    const began = performance.now();
    while (!(await this.#startOnce(began + startLimit))) {
      if (performance.now() > began + aftermath)
        throw new Error(`${this.kind} did not start:\n${this.#log}`);
      await delay(100);
    }
  }

  /** @param {number} deadline */
  async #startOnce(deadline) {
    const { command, args, ready } = this.definition.start(this.folder, this.port);
    const child = spawn(command, [...args, ...this.more], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...this.owner,
    });
    this.#child = child;
    this.#log = '';
    this.#ended = once(child, 'exit').then(() => {});
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text) => {
        this.#log = (this.#log + text).slice(-20_000);
      });
    while (!(ready.test(this.#log) && (await answers(this.port)))) {
      if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline)
        return false;
      await delay(20);
    }
    return true;
  }

  /** @param {NodeJS.Signals} signal */
  async end(signal) {
    if (this.#child?.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal);
    await this.#ended;
  }

  /** @param {NodeJS.Signals} signal */
  signal(signal) {
    this.#child?.kill(signal);
  }

  say() {
    const { kind, port } = this;
    const { user, password, database } = this.definition;
    const pid = this.#child?.pid;
    const certificate = path.join(this.folder, 'server.crt');
    const ca = existsSync(certificate) ? certificate : undefined;
    const login = { user, password, database, ca };
    console.log(JSON.stringify({ kind, host: '127.0.0.1', port, ...login, pid }));
  }
}

const [kind, ...rest] = process.argv.slice(2);
if (!kind || !Object.hasOwn(kinds, kind)) {
  console.error(
    `usage: node tools/services/main.mjs ${Object.keys(kinds).join('|')} [-- arguments]`,
  );
  process.exit(2);
}
const folder = mkdtempSync(path.join(tmpdir(), `tendril-${kind}-`));
const service = new Service(
  kind,
  rest[0] === '--' ? rest.slice(1) : rest,
  folder,
  await freePort(),
);

/** @type {Record<string, () => unknown>} */
const commands = {
  kill: () => service.end('SIGKILL'),
  start: () => service.start(),
  pause: () => service.signal('SIGSTOP'),
  resume: () => service.signal('SIGCONT'),
};

async function leave() {
  service.signal('SIGCONT');
  await Promise.race([service.end(service.definition.stopSignal), delay(5000)]);
  await service.end('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

let failed = false;
try {
  service.prepare();
  await service.start();
  service.say();
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.stdin.destroy());
  for await (const line of readline.createInterface({ input: process.stdin })) {
    await commands[line.trim()]?.();
    service.say();
  }
} catch (error) {
  failed = true;
  console.error(error instanceof Error ? error.message : error);
} finally {
  await leave();
}
process.exit(failed ? 1 : 0);
