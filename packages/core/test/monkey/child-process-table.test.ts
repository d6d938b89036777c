import childProcess, { type SpawnSyncReturns } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { patchChildProcess } from '@tendril/core/monkey';
import { leaveNothing } from '../helpers.js';
import { type Io, type Row, testTable } from './table.js';

leaveNothing();

const node = process.execPath;
const sh = (line: string, options?: object) =>
  childProcess.spawnSync('sh', ['-c', line], options as object);

/** A process id is another each time; an error that is its own property says so. */
function withoutPid<T>(result: T): T {
  if (typeof result !== 'object' || result === null || !('pid' in result)) return result;
  const { pid, error } = result as { pid: unknown; error?: unknown };
  Object.assign(result, { pid: pid === 0 ? 0 : typeof pid });
  if (error === result) Object.assign(result, { error: 'itself' });
  return result;
}

function row(title: string, call: (io: Io) => unknown, more: Partial<Row> = {}): Row {
  const comparable = (io: Io) => {
    try {
      return withoutPid(call(io));
    } catch (error) {
      throw withoutPid(error);
    }
  };
  return { title, call: comparable, ...more };
}

const sizes = ({ error, status, output }: SpawnSyncReturns<Buffer>) => [
  error,
  status,
  output.map((bytes) => bytes?.length),
];

/** How a child was ended: how much it had said by then is another each time. */
const ending = ({ error, status, signal }: SpawnSyncReturns<Buffer>) => [error, status, signal];
const endless = 'while :; do echo on and on; done';

/** `ask` with the shortest limit in which this machine lets a shell begin, and say so. */
function begun(ask: (timeout: number) => SpawnSyncReturns<unknown>): SpawnSyncReturns<unknown> {
  const first = ask(300);
  return first.stdout && String(first.stdout) ? first : ask(10_000);
}

const endings: [title: string, line: string, options: object][] = [
  ['maxBuffer of what goes on writing', 'exec yes', { maxBuffer: 100_000 }],
  ['maxBuffer of errors', 'exec yes >&2', { maxBuffer: 100_000 }],
  ['maxBuffer of another pipe', 'exec yes >&3', { maxBuffer: 1000, stdio: Array(4).fill('pipe') }],
  ['maxBuffer in an encoding', 'exec yes', { maxBuffer: 1000, encoding: 'utf8' }],
  ['maxBuffer with SIGKILL', 'exec yes', { maxBuffer: 100_000, killSignal: 'SIGKILL' }],
  ['maxBuffer with SIGINT', 'exec yes', { maxBuffer: 100_000, killSignal: 2 }],
  ['maxBuffer with input', 'exec yes', { maxBuffer: 1000, input: 'x'.repeat(3_000_000) }],
  ['maxBuffer, the signal ignored', `trap "" TERM; ${endless}`, { maxBuffer: 100 }],
  ['timeout of what goes on writing', endless, { timeout: 30, maxBuffer: 0 }],
  ['timeout with input', 'exec sleep 300', { timeout: 30, input: 'x'.repeat(3_000_000) }],
];

const arrays = [Uint8Array, Int16Array, Float64Array, BigUint64Array] as const;
const encodings = ['buffer', 'utf8', 'latin1', 'hex', 'base64', 'utf16le', 'ascii'] as const;

const results: Row[] = [
  row('spawnSync', () => childProcess.spawnSync('echo', ['out'])),
  row('without arguments', () => childProcess.spawnSync('true')),
  row('options in the second place', () => childProcess.spawnSync('pwd', { cwd: '/' })),
  row('arguments null', () => childProcess.spawnSync('true', null as never, {})),
  row('arguments undefined', () => childProcess.spawnSync('pwd', undefined, { cwd: '/' })),
  row('arguments that are no strings', () => childProcess.spawnSync('echo', [1, true] as never)),
  row('status', () => sh('exit 7')),
  row('output and errors', () => sh('echo out; echo err >&2')),
  row('ended by a signal', () => sh('kill -TERM $$')),
  row('SIGKILL', () => sh('kill -9 $$')),
  ...encodings.map((encoding) =>
    row(`encoding ${encoding}`, () => sh('printf "h\\303\\251 >\\n"; echo e >&2', { encoding })),
  ),
  row('encoding null', () => sh('echo a', { encoding: null })),
  row('encoding that does not exist', () => sh('echo a', { encoding: 'morse' })),
  row('input, a string', () => sh('cat', { input: 'wörld' })),
  row('input in an encoding', () => sh('cat', { input: 'c3a9', encoding: 'hex' })),
  row('input, encoding buffer', () => sh('cat', { input: 'a', encoding: 'buffer' })),
  row('input, empty', () => sh('cat', { input: '' })),
  row('input, a Buffer', () => sh('cat', { input: Buffer.from('abc') })),
  ...arrays.map((make) =>
    row(`input, ${make.name}`, () => sh('cat', { input: new make(new ArrayBuffer(16), 8, 1) })),
  ),
  row('input, a DataView', () => sh('cat', { input: new DataView(new ArrayBuffer(8), 2, 3) })),
  row('input, much', () => sh('wc -c', { input: 'x'.repeat(3_000_000) })),
  row('input that nobody reads', () => sh('exec <&-; exit 0', { input: Buffer.alloc(5_000_000) })),
  row('input without a pipe', () => sh('cat', { input: 'a', stdio: ['ignore', 'pipe', 'pipe'] })),
  row('much output', () => sh('head -c 1000000 /dev/zero'), { view: sizes }),
  row('stdio pipe', () => sh('echo a', { stdio: 'pipe' })),
  row('stdio ignore', () => sh('echo a', { stdio: 'ignore' })),
  row('stdio inherit', () => sh('exit 3', { stdio: 'inherit' })),
  row('stdio, an array', () => sh('echo a; echo b >&2', { stdio: ['ignore', 'pipe', 'ignore'] })),
  row('stdio, a short array', () => sh('echo a; echo b >&2', { stdio: ['ignore'] })),
  row('stdio, null and undefined', () => sh('echo a', { stdio: [null, undefined, null] })),
  row('stdio, more pipes', () =>
    sh('echo three >&3; echo five >&5', {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'ignore', 'pipe'],
      encoding: 'utf8',
    }),
  ),
  row('stdio, a descriptor', (io) => {
    const fd = openSync(io.path('into'), 'w');
    try {
      return sh('echo to a file', { stdio: ['ignore', fd, 'pipe'] });
    } finally {
      closeSync(fd);
    }
  }),
  row('stdio, a stream', () => sh('exit 2', { stdio: ['ignore', 'pipe', process.stderr] })),
  row('maxBuffer', () => sh('exec head -c 300000 /dev/zero', { maxBuffer: 100 }), {
    view: ({ error, stdout }: SpawnSyncReturns<Buffer>) => [error, stdout.length >= 100],
  }),
  row('maxBuffer, the whole chunk', () =>
    sh('echo hello world; exec sleep 30', { maxBuffer: 3, encoding: 'utf8' }),
  ),
  row('maxBuffer of a signal that is a number', () =>
    sh('echo hello; exec sleep 30', { maxBuffer: 1, killSignal: 9 }),
  ),
  row('maxBuffer by default', () => sh('exec head -c 9000000 /dev/zero'), {
    view: ({ error, stdout }: SpawnSyncReturns<Buffer>) => [
      error,
      stdout.length > 2 ** 20 && stdout.length < 2 ** 21,
    ],
  }),
  ...endings.flatMap(([title, line, options]) =>
    // Several times: it must not depend on who is the first to see a closed pipe.
    [1, 2, 3].map((time) => row(`${title} (${time})`, () => sh(line, options), { view: ending })),
  ),
  ...[1, 2, 3].map((time) =>
    row(
      `timeout, the signal ignored (${time})`,
      () =>
        begun((timeout) =>
          sh('trap "" INT; while :; do echo on; sleep 0.01; done', {
            timeout,
            killSignal: 'SIGINT',
          }),
        ),
      { view: ending },
    ),
  ),
  row('maxBuffer of execSync, of what goes on writing', () => {
    try {
      return childProcess.execSync('exec yes', { maxBuffer: 1000 });
    } catch (error) {
      const { code, status, signal } = error as SpawnSyncReturns<Buffer> & { code: string };
      return [code, status, signal];
    }
  }),
  row('maxBuffer just enough', () => sh('printf 12345', { maxBuffer: 5 })),
  ...[undefined, null, 0, Number.POSITIVE_INFINITY].map((maxBuffer) =>
    row(`maxBuffer ${maxBuffer}`, () => sh('head -c 2000000 /dev/zero', { maxBuffer } as object), {
      view: sizes,
    }),
  ),
  row('timeout', () =>
    begun((timeout) => sh('echo begun; exec sleep 300', { timeout, encoding: 'utf8' })),
  ),
  row('timeout with SIGKILL', () => sh('exec sleep 300', { timeout: 50, killSignal: 'SIGKILL' })),
  row('timeout with a number', () => sh('exec sleep 300', { timeout: 50, killSignal: 2 })),
  row('timeout that is not needed', () => sh('echo a', { timeout: 60_000 })),
  row('shell', () => childProcess.spawnSync('echo $((1 + 2))', { shell: true, encoding: 'utf8' })),
  row('a shell of choice', () => childProcess.spawnSync('echo $0', { shell: '/bin/sh' })),
  row('argv0', () => childProcess.spawnSync('sh', ['-c', 'echo $0'], { argv0: 'me' })),
  row('env', () => sh('echo $WHO', { env: { WHO: 'me', PATH: process.env.PATH } })),
  row('cwd', (io) => sh('ls', { cwd: io.path('dir'), encoding: 'utf8' })),
  row('cwd that is not there', (io) => sh('ls', { cwd: io.path('none') })),
  row('uid and gid', () => sh('id -u', { uid: process.getuid?.(), gid: process.getgid?.() })),
  row('windowsHide', () => sh('echo a', { windowsHide: true })),
  row('options that are inherited', () =>
    childProcess.spawnSync('pwd', [], Object.create({ cwd: '/', shell: true })),
  ),
  row('what others left running holds the output', () => sh('(sleep 0.2; echo late) & exit 4')),
];

const failures: Row[] = [
  row('ENOENT', () => childProcess.spawnSync('no-such-program', ['a', 'b'])),
  row('ENOENT with argv0', () => childProcess.spawnSync('no-such-program', { argv0: 'x' })),
  row('ENOENT of a shell', () => childProcess.spawnSync('ls', { shell: '/no/shell' })),
  row('EACCES', (io) => childProcess.spawnSync(io.path('file.txt'))),
  row('EACCES of a directory', () => childProcess.spawnSync('/')),
  row('ENOTDIR', (io) => childProcess.spawnSync(io.path('file.txt', 'x')), { parks: false }),
  row('E2BIG', () => childProcess.spawnSync('echo', ['x'.repeat(5_000_000)]), { parks: false }),
];

const bad: Record<string, () => unknown> = {
  'no file': () => (childProcess.spawnSync as (file?: string) => unknown)(),
  'empty file': () => childProcess.spawnSync(''),
  'file with a zero': () => childProcess.spawnSync('a\0b'),
  'arguments, a string': () => childProcess.spawnSync('ls', 'a' as never),
  'argument with a zero': () => childProcess.spawnSync('ls', ['a\0']),
  'options null': () => childProcess.spawnSync('ls', [], null as never),
  'options, an array': () => childProcess.spawnSync('ls', [], [] as never),
  'options, a number': () => childProcess.spawnSync('ls', [], 5 as never),
  'execSync without a command': () => (childProcess.execSync as (line?: string) => unknown)(),
  'execSync of a number': () => childProcess.execSync(5 as never),
  'execFileSync options': () => childProcess.execFileSync('ls', [], 5 as never),
  'execFileSync argv0': () => childProcess.execFileSync('ls', [], { argv0: 5 } as never),
};
const badOptions: Record<string, unknown>[] = [
  { cwd: 5 },
  { env: { 'A\0': 'a' } },
  { uid: 'root' },
  { gid: 1.5 },
  { shell: 5 },
  { argv0: 5 },
  { detached: 'yes' },
  { windowsHide: 1 },
  { timeout: -1 },
  { timeout: 1.5 },
  { timeout: 'long' },
  { maxBuffer: -1 },
  { maxBuffer: 'much' },
  { maxBuffer: Number.NaN },
  { killSignal: 'SIGNOT' },
  { killSignal: 0 },
  { killSignal: {} },
  { stdio: 'ipc' },
  { stdio: 'no' },
  { stdio: 5 },
  { stdio: [{}] },
  { stdio: ['pipe', 'pipe', 'pipe', 'ipc'] },
  { input: 5 },
  { input: {} },
  { input: true },
];

const refusals: Row[] = [
  ...Object.entries(bad).map(([title, call]) => row(title, call)),
  ...badOptions.map((options) =>
    row(`options ${JSON.stringify(options)}`, () => childProcess.spawnSync('true', [], options)),
  ),
];

const shorthands: Row[] = [
  row('execSync', () => childProcess.execSync('echo a; exit 0')),
  row('execSync with null', () => childProcess.execSync('echo a', null as never)),
  row('execSync, utf8', () => childProcess.execSync('echo a', { encoding: 'utf8' })),
  row('execSync with input', () => childProcess.execSync('cat', { input: 'a' })),
  row('execSync, stdio ignore', () => childProcess.execSync('echo a', { stdio: 'ignore' })),
  row('execSync, shell false', () => childProcess.execSync('echo $0', { shell: false as never })),
  row('execSync fails', () =>
    childProcess.execSync('echo o; echo e >&2; exit 3', { stdio: 'pipe' }),
  ),
  row('execSync fails with a string', () =>
    childProcess.execSync('echo e >&2; exit 3', { stdio: 'pipe', encoding: 'utf8' }),
  ),
  row('execSync fails without a word', () => childProcess.execSync('exit 1')),
  row('execSync ends by a signal', () => childProcess.execSync('kill -9 $$')),
  row('execSync, timeout', () =>
    childProcess.execSync('exec sleep 300', { timeout: 50, stdio: 'pipe' }),
  ),
  row('execSync, maxBuffer', () =>
    childProcess.execSync('echo abc; exec sleep 30', { maxBuffer: 1 }),
  ),
  row('execSync, no such shell', () => childProcess.execSync('ls', { shell: '/no/shell' })),
  row('execSync, no such command', () =>
    childProcess.execSync('no-such-program', { stdio: 'pipe' }),
  ),
  row('execFileSync', () => childProcess.execFileSync('echo', ['a', 'b'])),
  row('execFileSync alone', () => childProcess.execFileSync('true')),
  row('execFileSync with null', () =>
    childProcess.execFileSync('echo', null as never, null as never),
  ),
  row('execFileSync with options', () => childProcess.execFileSync('pwd', { cwd: '/' })),
  row('execFileSync, latin1', () =>
    childProcess.execFileSync('echo', ['é'], { encoding: 'latin1' }),
  ),
  row('execFileSync fails', () =>
    childProcess.execFileSync(node, ['-e', 'console.error("no"); process.exitCode = 9'], {
      stdio: 'pipe',
    }),
  ),
  row('execFileSync fails with argv0', () =>
    childProcess.execFileSync('sh', ['-c', 'exit 2'], { argv0: 'me' } as object),
  ),
  row('execFileSync, ENOENT', () => childProcess.execFileSync('no-such-program', ['a'])),
  row('execFileSync, EACCES', (io) => childProcess.execFileSync(io.path('file.txt'))),
];

const all: Row[] = [
  ...results,
  ...failures,
  ...refusals,
  ...shorthands,
  row('what it wrote is there', (io) => {
    childProcess.execSync('echo made > made', { cwd: io.dir });
    return readFileSync(io.path('made'), 'utf8');
  }),
];

// Each row starts several processes. In short runs, which are those on other Nodes, a Node takes every third.
const short = Boolean(process.env.TENDRIL_TEST_SHORT);
const share = Math.floor(Number.parseInt(process.versions.node, 10) / 2) % 3;
const rows = short ? all.filter((_, i) => i % 3 === share) : all;

testTable({ file: import.meta.url, patch: patchChildProcess }, rows);
