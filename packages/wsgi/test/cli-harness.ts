/** Starts the real command, and asks it things. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { Agent, type RequestOptions, request } from 'node:http';
import type { Server } from 'node:net';
import { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
export const fixtures = fileURLToPath(new URL('../test/fixtures/', import.meta.url));
export const plain = `${fixtures}plain.mjs:app`;

const running = new Set<Command>();

const loads = new Set<Load>();

// Whatever a failed test has left behind, whole process groups of our own.
after(() => {
  for (const load of loads) void load.stop();
  for (const command of running) command.kill();
});

function environment(): NodeJS.ProcessEnv {
  const { WEB_CONCURRENCY, PORT, FORWARDED_ALLOW_IPS, NODE_TEST_CONTEXT, ...env } = process.env;
  return env;
}

/** Milliseconds for whatever must happen sooner or later, on a machine that has much else to do. */
const patience = 60_000;

/** Runs the command to its end. */
export function runCommand(...args: string[]): { status: number | null; out: string; err: string } {
  const options = { encoding: 'utf8', env: environment(), timeout: patience } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], options);
  return { status, out: stdout, err: stderr };
}

/** Waits until `look` finds something. */
export async function eventually<Found>(
  what: string,
  look: () => Found | undefined | false | Promise<Found | undefined | false>,
  limit = patience,
): Promise<Found> {
  const deadline = performance.now() + limit;
  while (performance.now() < deadline) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await delay(15);
  }
  throw new Error(`not within ${limit} ms: ${what}`);
}

export interface Answer {
  status: number;
  body: string;
}

export class Command {
  readonly process: ChildProcess;
  readonly exit: Promise<number | null>;
  log = '';
  out = '';

  /** @param handedOn a listening server that it gets as descriptor 3, as systemd would do it */
  constructor(args: string[], handedOn?: Server) {
    // A group of its own, so that all of it can be ended at the end.
    const options = { detached: true, env: environment() };
    const quiet = ['ignore', 'pipe', 'pipe'] as const;
    if (handedOn) {
      const script = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"';
      const { fd } = (handedOn as unknown as { _handle: { fd: number } })._handle;
      const stdio = [...quiet, fd];
      const command = ['-c', script, process.execPath, main, ...args];
      this.process = spawn('/bin/sh', command, { ...options, stdio });
    } else {
      this.process = spawn(process.execPath, [main, ...args], { ...options, stdio: [...quiet] });
    }
    this.process.stderr?.on('data', (chunk) => {
      this.log += chunk;
    });
    this.process.stdout?.on('data', (chunk) => {
      this.out += chunk;
    });
    running.add(this);
    this.exit = new Promise((resolve) => {
      this.process.once('exit', (code) => {
        running.delete(this);
        resolve(code);
      });
    });
  }

  static async start(...args: string[]): Promise<Command> {
    const command = new Command(['--bind', '127.0.0.1:0', ...args]);
    await command.logged(/Listening at/);
    await command.get('/');
    return command;
  }

  get port(): number {
    return Number(/Listening at: \w+:\/\/[^ ]+?:(\d+)/.exec(this.log)?.[1]);
  }
  get bootedPids(): number[] {
    return [...this.log.matchAll(/Booting worker with pid: (\d+)/g)].map((match) =>
      Number(match[1]),
    );
  }

  logged(pattern: RegExp, limit?: number): Promise<RegExpExecArray> {
    return eventually(
      `${pattern} in ${this.log}`,
      () => pattern.exec(this.log) ?? undefined,
      limit,
    );
  }

  signal(name: NodeJS.Signals): void {
    this.process.kill(name);
  }

  kill(): void {
    try {
      process.kill(-(this.process.pid as number), 'SIGKILL');
    } catch {
      // It has ended.
    }
  }

  /** Stops it as a service manager would, and gives its exit code. */
  async stop(): Promise<number | null> {
    this.signal('SIGTERM');
    return this.exit;
  }

  get(path: string, options: RequestOptions = {}): Promise<Answer> {
    return get({ port: this.port, host: '127.0.0.1', path, agent: false, ...options });
  }

  /** The processes that answer, as many as expected. */
  pids(count: number): Promise<Set<number>> {
    return eventually(`${count} workers that answer`, async () => {
      const answers = await Promise.all(
        Array.from({ length: 3 * count }, () => this.get('/short')),
      );
      const pids = new Set(answers.map(({ body }) => Number(body)));
      return pids.size === count && pids;
    });
  }
}

const openFiles = (pid: number): Set<number> =>
  new Set(readdirSync(`/proc/${pid}/fd`).map((name) => Number(name)));

/** How many of the files that a process has open are TCP sockets that are connected. */
export function connectionsOf(pid: number): number {
  const rows = readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1);
  const listening = '0A';
  const connected = new Set<string>();
  for (const row of rows) {
    const fields = row.trim().split(/\s+/);
    if (fields[3] !== listening) connected.add(`socket:[${fields[9]}]`);
  }
  const links = [...openFiles(pid)].map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  return links.filter((link) => connected.has(link)).length;
}

/** Waits till a process has no connections, and leaves it descriptors for `free` more files. */
export async function leaveDescriptors(pid: number, free: number): Promise<void> {
  await eventually('a process without connections', () => connectionsOf(pid) === 0);
  const open = openFiles(pid);
  let most = 0;
  for (let left = free; left > 0 || open.has(most); most++) if (!open.has(most)) left--;
  limitDescriptors(pid, most);
}

/** Sets what the greatest descriptor is below; not the limit that this may be raised to. */
export function limitDescriptors(pid: number, most: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${most}:`]);
}

/** One request. */
export function get(options: RequestOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(options, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    asked.on('error', reject);
    asked.setTimeout(patience, () => asked.destroy(new Error('no answer')));
    asked.end();
  });
}

/** Clients that ask without a pause: half of them with kept connections, half with new ones each time. */
export class Load {
  readonly pids = new Map<number, number>();
  readonly errors: unknown[] = [];
  answered = 0;
  #stopping = false;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #clients: Promise<void>[];

  constructor(command: Command, clients: number, path = '/short') {
    loads.add(this);
    this.#clients = Array.from({ length: clients }, (_, index) => this.#run(command, index, path));
  }

  async #run(command: Command, index: number, path: string): Promise<void> {
    while (!this.#stopping) {
      try {
        const { status, body } = await command.get(path, {
          agent: index % 2 === 0 ? this.#agent : false,
        });
        if (status !== 200) throw new Error(`status ${status}`);
        this.answered++;
        this.pids.set(Number(body), (this.pids.get(Number(body)) ?? 0) + 1);
      } catch (error) {
        this.errors.push(error);
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    loads.delete(this);
    await Promise.all(this.#clients);
    this.#agent.destroy();
  }
}
