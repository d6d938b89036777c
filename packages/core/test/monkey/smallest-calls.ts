/** A call of each function that patchAll() replaces, as small as it can be. */
import childProcess from 'node:child_process';
import crypto from 'node:crypto';
import dns from 'node:dns';
import dnsPromises from 'node:dns/promises';
import events from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import timers from 'node:timers/promises';
import zlib from 'node:zlib';
import { spawn } from '@tendril/core';
import { getOriginal } from '@tendril/core/monkey';
import { pathCalls } from './path-calls.js';
import type { Io } from './scratch.js';

/**
 * Prepares a call and returns what makes it.
 *
 * @param much of a function that parks sometimes: the number of bytes that it is about; whether it is about a
 *   tree or a pipe
 */
export type Prepare = (io: Io, much: number) => () => unknown;

type Loose = (...args: unknown[]) => unknown;
const of = (module: object, name: string) => (module as Record<string, Loose>)[name] as Loose;

/** What a call has started and not waited for. */
export const started: PromiseLike<unknown>[] = [];

/** Calls that need nothing prepared. */
function plain(calls: Record<string, (io: Io) => unknown>): Record<string, Prepare> {
  return Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [name, (io: Io) => () => call(io)]),
  );
}

function byPath(names: Record<string, [keyof typeof pathCalls, file: string]>) {
  const calls = Object.entries(names).map(([name, [call, file]]) => [
    name,
    (io: Io) => pathCalls[call](io.path(file), io),
  ]);
  return plain(Object.fromEntries(calls));
}

function file(io: Io, size: number): string {
  const name = io.path('sized');
  getOriginal<typeof fs.writeFileSync>('fs', 'writeFileSync')(name, Buffer.alloc(size));
  return name;
}

const onFile = (call: (fd: number) => unknown) => (io: Io) => () => call(io.open('file.txt', 'r+'));

const files: Record<string, Prepare> = {
  ...byPath({
    accessSync: ['access', 'file.txt'],
    chmodSync: ['chmod', 'file.txt'],
    chownSync: ['chown', 'file.txt'],
    existsSync: ['exists', 'file.txt'],
    lchownSync: ['lchown', 'file.txt'],
    linkSync: ['link from', 'file.txt'],
    lstatSync: ['lstat', 'file.txt'],
    lutimesSync: ['lutimes', 'file.txt'],
    mkdirSync: ['mkdir', 'new'],
    opendirSync: ['opendir', 'dir'],
    readlinkSync: ['readlink', 'link'],
    realpathSync: ['realpath', 'link'],
    'realpathSync.native': ['realpath.native', 'link'],
    renameSync: ['rename from', 'file.txt'],
    rmdirSync: ['rmdir', 'void'],
    statSync: ['stat', 'file.txt'],
    symlinkSync: ['symlink at', 'new'],
    truncateSync: ['truncate', 'file.txt'],
    unlinkSync: ['unlink', 'file.txt'],
    utimesSync: ['utimes', 'file.txt'],
  }),
  ...plain({
    globSync: (io) => of(fs, 'globSync')('*', { cwd: io.dir }),
    mkdtempSync: (io) => fs.mkdtempSync(io.path('x-')),
    mkdtempDisposableSync: (io) => of(fs, 'mkdtempDisposableSync')(io.path('x-')),
    statfsSync: (io) => fs.statfsSync(io.dir),
  }),
  closeSync: onFile((fd) => fs.closeSync(fd)),
  fchmodSync: onFile((fd) => fs.fchmodSync(fd, 0o600)),
  fchownSync: onFile((fd) => fs.fchownSync(fd, -1, -1)),
  fdatasyncSync: onFile((fd) => fs.fdatasyncSync(fd)),
  fstatSync: onFile((fd) => fs.fstatSync(fd)),
  fsyncSync: onFile((fd) => fs.fsyncSync(fd)),
  ftruncateSync: onFile((fd) => fs.ftruncateSync(fd)),
  futimesSync: onFile((fd) => fs.futimesSync(fd, 1, 2)),
  appendFileSync: (io, size) => () => fs.appendFileSync(io.path('new'), Buffer.alloc(size)),
  copyFileSync: (io, size) => {
    const name = file(io, size);
    return () => fs.copyFileSync(name, io.path('new'));
  },
  cpSync: (io, size) => {
    const name = file(io, size);
    return () => fs.cpSync(name, io.path('new'));
  },
  openSync: (io, pipe) => {
    if (!pipe) return () => io.closing(fs.openSync(io.path('file.txt'), 'r'));
    const name = io.path('pipe');
    childProcess.execFileSync('mkfifo', [name]);
    spawn(() => io.closing(fs.openSync(name, 'w')));
    return () => io.closing(fs.openSync(name, 'r'));
  },
  readFileSync: (io, size) => {
    const name = file(io, size);
    return () => fs.readFileSync(name);
  },
  readSync: (io, size) => () => fs.readSync(io.open('file.txt'), Buffer.alloc(size)),
  readdirSync: (io, tree) => () => fs.readdirSync(io.dir, { recursive: tree > 0 }),
  readvSync: (io, size) => () => fs.readvSync(io.open('file.txt'), [Buffer.alloc(size)]),
  rmSync: (io, tree) => () => fs.rmSync(io.path(tree ? 'dir' : 'file.txt'), { recursive: true }),
  writeFileSync: (io, size) => () => fs.writeFileSync(io.path('new'), Buffer.alloc(size)),
  writeSync: (io, size) => () => fs.writeSync(io.open('file.txt', 'r+'), Buffer.alloc(size)),
  writevSync: (io, size) => () => fs.writevSync(io.open('file.txt', 'r+'), [Buffer.alloc(size)]),
};

const packing = [
  'brotliCompressSync',
  'brotliDecompressSync',
  'deflateRawSync',
  'deflateSync',
  'gunzipSync',
  'gzipSync',
  'inflateRawSync',
  'inflateSync',
  'unzipSync',
  'zstdCompressSync',
  'zstdDecompressSync',
];

/** What is unpacked was never packed: that is an error in either form. */
function attempt(call: () => unknown): void {
  try {
    call();
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!/^(Z_|ERR_|ZSTD_)/.test(code) || code === 'ERR_GREENLET_EXIT') throw error;
  }
}

// As Node has it: made once, before anything is patched.
const signing = crypto.generateKeyPairSync('ed25519');
const agreeing = crypto.generateKeyPairSync('x25519');
const signature = crypto.sign(null, Buffer.from('text'), signing.privateKey);
const encapsulating =
  'encapsulate' in crypto ? crypto.generateKeyPairSync('ml-kem-768' as 'x25519') : undefined;
const encapsulated = encapsulating && of(crypto, 'encapsulate')(encapsulating.publicKey);
const { ciphertext } = (encapsulated ?? {}) as { ciphertext?: Buffer };
const password = {
  message: 'password',
  nonce: 'a long nonce',
  parallelism: 1,
  tagLength: 16,
  memory: 64,
  passes: 1,
};

const computing: Record<string, Prepare> = {
  ...plain({
    argon2Sync: () => of(crypto, 'argon2Sync')('argon2id', password),
    checkPrimeSync: () => crypto.checkPrimeSync(7n),
    decapsulate: () => of(crypto, 'decapsulate')(encapsulating?.privateKey, ciphertext),
    diffieHellman: () => crypto.diffieHellman(agreeing),
    encapsulate: () => of(crypto, 'encapsulate')(encapsulating?.publicKey),
    generateKeyPairSync: () => crypto.generateKeyPairSync('ed25519'),
    generateKeySync: () => crypto.generateKeySync('hmac', { length: 64 }),
    generatePrimeSync: () => crypto.generatePrimeSync(8),
    hkdfSync: () => crypto.hkdfSync('sha256', 'key', 'salt', 'info', 8),
    pbkdf2Sync: () => crypto.pbkdf2Sync('password', 'salt', 1, 8, 'sha256'),
    scryptSync: () => crypto.scryptSync('password', 'salt', 8, { N: 2 }),
    sign: () => crypto.sign(null, Buffer.from('text'), signing.privateKey),
    verify: () => crypto.verify(null, Buffer.from('text'), signing.publicKey, signature),
  }),
  randomBytes: (_io, size) => () => crypto.randomBytes(size),
  randomFillSync: (_io, size) => () => crypto.randomFillSync(Buffer.alloc(size)),
};

const queries = Object.keys(dns).filter((name) => /^(lookup|reverse|resolve\w*)$/.test(name));
const asked = (name: string) => (name === 'reverse' ? '192.0.2.1' : 'some.test');

/** Called, and waited for by whoever has called. */
function starting(name: string, start: () => PromiseLike<unknown>): [string, () => unknown] {
  return [name, () => void started.push(start())];
}

const message = new http.IncomingMessage(new net.Socket());
const emitter = (object: unknown) => () => (object as events).emit('nothing that anybody hears');

export const smallestCalls: Record<string, Record<string, Prepare>> = {
  fs: files,
  zlib: Object.fromEntries(
    packing.map((name) => [
      name,
      (_io, size) => () => attempt(() => of(zlib, name)(Buffer.alloc(size, 1))),
    ]),
  ),
  crypto: computing,
  child_process: plain({
    execFileSync: () => childProcess.execFileSync('true'),
    execSync: () => childProcess.execSync('true'),
    spawnSync: () => childProcess.spawnSync('true'),
  }),
  atomics: plain({
    wait: () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1),
  }),
  dns: plain(
    Object.fromEntries(
      queries.map((name) =>
        starting(name, () => new Promise((done) => of(dns, name)(asked(name), done))),
      ),
    ),
  ),
  'dns/promises': plain(
    Object.fromEntries(
      queries.map((name) =>
        starting(name, () => of(dnsPromises, name)(asked(name)) as Promise<unknown>),
      ),
    ),
  ),
  http: plain({
    'IncomingMessage.prototype.emit': emitter(message),
    'Server.prototype.emit': emitter(new http.Server()),
    'ServerResponse.prototype.emit': emitter(new http.ServerResponse(message)),
  }),
  https: plain({ 'Server.prototype.emit': emitter(new https.Server()) }),
  http2: plain({
    'Http2SecureServer.prototype.emit': emitter(http2.createSecureServer()),
    'Http2Server.prototype.emit': emitter(http2.createServer()),
    'Http2ServerRequest.prototype.emit': emitter(Object.create(http2.Http2ServerRequest.prototype)),
    'Http2ServerResponse.prototype.emit': emitter(
      Object.create(http2.Http2ServerResponse.prototype),
    ),
  }),
  'timers/promises': plain(
    Object.fromEntries([
      starting('scheduler.wait', () => timers.scheduler.wait(1)),
      starting('setImmediate', () => timers.setImmediate()),
      starting('setInterval', async () => {
        for await (const _ of timers.setInterval(1)) return;
      }),
      starting('setTimeout', () => timers.setTimeout(1)),
    ]),
  ),
  events: plain({
    on: () => events.on(new events(), 'event').return?.(),
    once: () => {
      const source = new events();
      started.push(events.once(source, 'event'));
      source.emit('event');
    },
  }),
};
