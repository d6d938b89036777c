/** A server under measurement: started, watched from outside, and killed with all of its processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { placed } from './commands.js';
import type { HttpServer } from './contestants.js';

const patience = 20_000;
const running = new Set<ServerProcess>();

// They have process groups of their own, which a Ctrl-C does not reach.
process.once('exit', () => {
  for (const one of running) one.kill();
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Its last words, if it never says that it is ready. */
function whenReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (why: string) =>
      reject(new Error(`${why}: ${said.trim().split('\n').at(-1) || 'no output'}`));
    const timer = setTimeout(() => fail('not ready in time'), patience);
    const hear = (chunk: Buffer) => {
      // Read to the end, or it would block on a full pipe; gevent reports every reset connection.
      if (said.length < 100_000) said += chunk.toString();
      if (!/^ready$/m.test(said)) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('close', () => {
      clearTimeout(timer);
      fail('ended');
    });
    child.once('error', reject);
  });
}

export class ServerProcess {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #group: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.#group = child.pid as number;
    this.port = port;
  }

  /** @throws Error if it ends or does not get ready */
  static async start(server: HttpServer): Promise<ServerProcess> {
    const port = await freePort();
    const child = spawn(...placed('server', server.command(port)), {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, NODE_ENV: 'production', PYTHONDONTWRITEBYTECODE: '1' },
    });
    const started = new ServerProcess(child, port);
    running.add(started);
    try {
      await whenReady(child);
      return started;
    } catch (error) {
      await started.stop();
      throw error;
    }
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** Of each of its processes: gunicorn has two. */
  #pids(): number[] {
    const isOurs = (pid: number) => {
      try {
        return Number(statOf(pid)[2]) === this.#group;
      } catch {
        return false; // ended meanwhile
      }
    };
    return readdirSync('/proc').map(Number).filter(Number.isInteger).filter(isOurs);
  }

  /** Microseconds of processor time so far. */
  processorTime(): number {
    const ticks = this.#pids().map((pid) => Number(statOf(pid)[11]) + Number(statOf(pid)[12]));
    return ticks.reduce((a, b) => a + b, 0) * 10_000; // of 10 ms
  }

  /** Bytes. */
  resident(): number {
    const sizes = this.#pids().map((pid) =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]),
    );
    return sizes.reduce((a, b) => a + b, 0) * 1024;
  }

  kill(): void {
    try {
      process.kill(-this.#group, 'SIGKILL');
    } catch {
      // ended by itself
    }
  }

  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    const gone = exitCode === null && signalCode === null && once(this.#child, 'exit');
    this.kill();
    await gone;
    running.delete(this);
  }
}

/** What follows the name: state, parent, group … */
function statOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
}
