/**
 * Calls of fs, parked and in one piece: what each costs who makes it, by size, on the disk and in memory. In one
 * piece it costs everybody else as much.
 */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from '@tendril/core';
import { patchFs, restore } from '@tendril/core/monkey';
import type { Result } from '../output.js';
import { Samples } from '../samples.js';

const kilo = 1024;
const sizes: Record<string, number> = {
  '1 KiB': kilo,
  '64 KiB': 64 * kilo,
  '1 MiB': kilo ** 2,
  '16 MiB': 16 * kilo ** 2,
};
/** Bytes that go through each measurement, and calls of it at most. */
const volume = 64 * kilo ** 2;
const most = 2000;

type Call = (name: string, data: Buffer, fd: number) => void;

/** Those that have a size, and those that have none. */
const bySize: Record<string, Call> = {
  readFile: (name) => void fs.readFileSync(name),
  writeFile: (name, data) => fs.writeFileSync(`${name}.new`, data),
  copyFile: (name) => fs.copyFileSync(name, `${name}.copy`),
  read: (_, data, fd) => void fs.readSync(fd, data, 0, data.length, 0),
};
const others: Record<string, Call> = {
  stat: (name) => void fs.statSync(name),
  exists: (name) => void fs.existsSync(`${name}.none`),
  'open, close': (name) => fs.closeSync(fs.openSync(name, 'r')),
  'mkdir, rmdir': (name) => {
    fs.mkdirSync(`${name}.folder`);
    fs.rmdirSync(`${name}.folder`);
  },
  readdir: (name) => void fs.readdirSync(path.dirname(name)),
  rename: (name) => {
    fs.renameSync(name, `${name}.renamed`);
    fs.renameSync(`${name}.renamed`, name);
  },
  fsync: (_, __, fd) => fs.fsyncSync(fd),
};

/** Nanoseconds of a call, each by itself. */
function time(call: () => void, times: number): number {
  call();
  const since = performance.now();
  for (let n = 0; n < times; n++) call();
  return ((performance.now() - since) * 1e6) / times;
}

function folders(): Record<string, string> {
  const places: Record<string, string> = { disk: tmpdir() };
  if (fs.existsSync('/dev/shm')) places.memory = '/dev/shm';
  return Object.fromEntries(
    Object.entries(places).map(([name, place]) => [
      name,
      fs.mkdtempSync(path.join(place, 'tendril-calls-')),
    ]),
  );
}

async function measureIn(samples: Samples, where: string, folder: string): Promise<void> {
  const name = path.join(folder, 'file');
  const note = async (figure: string, call: () => void, times: number) => {
    samples.note(`${figure}, ${where}`, 'in one piece', time(call, times));
    patchFs({ park: 'all' });
    try {
      samples.note(`${figure}, ${where}`, 'tendril', await run(() => time(call, times)));
    } finally {
      restore();
    }
  };
  for (const [label, size] of Object.entries(sizes)) {
    const data = Buffer.alloc(size, 'x');
    fs.writeFileSync(name, data);
    const fd = fs.openSync(name, 'r+');
    const times = Math.min(most, Math.ceil(volume / size));
    for (const [what, call] of Object.entries(bySize))
      await note(`${what}, ${label}`, () => call(name, data, fd), times);
    fs.closeSync(fd);
  }
  fs.writeFileSync(name, 'little');
  const fd = fs.openSync(name, 'r+');
  for (const [what, call] of Object.entries(others))
    await note(what, () => call(name, Buffer.alloc(0), fd), most / 4);
  fs.closeSync(fd);
}

export async function measureCalls(runs: number): Promise<Result[]> {
  const samples = new Samples();
  for (let n = 0; n < runs; n++)
    for (const [where, folder] of Object.entries(folders()))
      try {
        process.stderr.write(`calls of fs, ${where}\n`);
        await measureIn(samples, where, folder);
      } finally {
        fs.rmSync(folder, { recursive: true });
      }
  return samples.results();
}
