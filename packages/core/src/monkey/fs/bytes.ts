/** What reads and writes: descriptors that come too late are closed, files are given up half way. */
import fs from 'node:fs';
import { firstOf, refusal, through } from '../parking.js';
import type { NodeFunction } from '../registry.js';
import { dropPathUnlike } from './errors.js';
import type { Twin } from './index.js';

/** Filled up with `undefined`: the asynchronous form tells its overloads apart by their number. */
function exactly(count: number): (args: unknown[]) => unknown[] {
  const cut = firstOf(count);
  return (args) => {
    const taken = cut(args);
    return [...taken, ...Array(count - taken.length)];
  };
}

function readArguments(args: unknown[]): unknown[] {
  const [fd, buffer, offset] = args;
  const byOptions = args.length <= 3 || typeof offset === 'object';
  return byOptions ? firstOf(3)([fd, buffer, offset ?? {}]) : exactly(5)(args);
}

function writeArguments(args: unknown[]): unknown[] {
  return exactly(ArrayBuffer.isView(args[1]) ? 5 : 4)(args);
}

/** Opens as the synchronous form does; nobody has the descriptor that a killed greenlet had asked for. */
const parkedOpen: Twin = (original, twin) =>
  through(original, twin, { args: firstOf(3), discard: (fd) => fs.close(fd as number) });

type Encoded = { encoding?: string } | null | undefined;

/** A twin that takes an AbortSignal among its options, which are its last argument, number `count`. */
function parkedWhole(count: number): Twin {
  return (original, twin) => {
    const reword = dropPathUnlike(original, 'read', '/');
    function start(this: unknown, ...args: unknown[]): AbortController {
      const controller = new AbortController();
      const callback = args.pop();
      const options = withSignal(args[count - 1], controller.signal);
      const before = Array.from({ length: count - 1 }, (_, at) => args[at]);
      Reflect.apply(twin, this, [...before, options, callback]);
      return controller;
    }
    return through(original, start as NodeFunction, {
      args: firstOf(count),
      error: reword,
      abort: (controller) => (controller as AbortController | undefined)?.abort(),
    });
  };
}

function withSignal(options: unknown, signal: AbortSignal): object {
  if (options === undefined || options === null) return { signal };
  if (typeof options === 'string') return { encoding: options, signal };
  // The synchronous form checks a signal too, and then forgets about it.
  if (typeof options !== 'object' || 'signal' in options) throw refusal;
  return Object.create(options, { signal: { value: signal, enumerable: true } });
}

const readWhole = parkedWhole(2);

/**
 * What is wrong with a descriptor is lost by the asynchronous form: the original says it. That one
 * reads bytes by `fs.readSync`, which parks; only what it decodes itself it reads in one piece.
 */
const parkedReadFile: Twin = (original, twin) => {
  const parked = readWhole(original, twin);
  return function (this: unknown, ...args: unknown[]): unknown {
    const [fd, options] = args;
    if (typeof fd !== 'number') return Reflect.apply(parked, this, args);
    const encoding = typeof options === 'string' ? options : (options as Encoded)?.encoding;
    if (encoding !== 'utf8' && encoding !== 'utf-8') return Reflect.apply(original, this, args);
    try {
      return (original(fd) as Buffer).toString(encoding);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
      return Reflect.apply(original, this, args);
    }
  };
};

export const byteTwins: Record<string, Twin> = {
  appendFile: parkedWhole(3),
  open: parkedOpen,
  read: (original, twin) => through(original, twin, { args: readArguments }),
  readFile: parkedReadFile,
  readv: (original, twin) => through(original, twin, { args: exactly(3) }),
  write: (original, twin) => through(original, twin, { args: writeArguments }),
  writeFile: parkedWhole(3),
  writev: (original, twin) => through(original, twin, { args: exactly(3) }),
};
