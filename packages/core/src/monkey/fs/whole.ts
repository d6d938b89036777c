/**
 * Files read and written in one call. Those that are worth it are opened at once, as the process is at this
 * moment, and go through memory of their own; while they are under way nobody sees half of them.
 */
import fs from 'node:fs';
import { keepMask } from '../mask.js';
import { through } from '../parking.js';
import type { NodeFunction } from '../registry.js';
import { inOneGo } from '../within.js';
import { copyOf } from './buffers.js';
import { isWorthWriting } from './bytes.js';
import { addFile } from './claims.js';
import { isClosed, occupied, ofClosed, unlessClosed } from './closed.js';
import { claimsOf, during, inOnePiece, leavingAtEnd, type Nature, withTaken } from './held.js';
import type { Twin } from './index.js';
import { openInPlace } from './places.js';
import { isKnownSmall, isWorth, type Look, lookAtPath, rememberIfSmall } from './policy.js';
import { absolute } from './taken.js';
import { inClaim, mightWait } from './turns.js';

const { openSync, closeSync } = fs;

interface Options {
  encoding: string | null | undefined;
  flag: string | undefined;
  mode: unknown;
  flush: unknown;
}

/** Read once: getters are the caller's code. Undefined where the original has to say what is wrong. */
function optionsOf(given: unknown): Options | undefined {
  const named = typeof given === 'string' ? { encoding: given } : (given ?? {});
  if (typeof named !== 'object') return undefined;
  const { encoding, flag, mode, flush, signal } = named as Record<string, unknown>;
  const known = encoding === undefined || encoding === null || encoding === 'buffer';
  if (!known && !(typeof encoding === 'string' && Buffer.isEncoding(encoding))) return undefined;
  if (flag !== undefined && flag !== null && typeof flag !== 'string') return undefined;
  if (flush !== undefined && flush !== null && typeof flush !== 'boolean') return undefined;
  if (signal !== undefined) return undefined;
  return { encoding: encoding as string | null, flag: (flag ?? undefined) as never, mode, flush };
}

interface Work {
  readonly name: unknown;
  readonly flag: string;
  readonly mode?: unknown;
  readonly writes: boolean;
  /** The asynchronous form on a descriptor; its last argument is the callback. */
  start(fd: number, signal: AbortSignal, done: NodeFunction): void;
}

const content: Nature = { writes: true, bytes: 1 };

/** Opens a file, has `start` work on it, and closes it, in turn with others; parks. */
function onOpenFile(original: NodeFunction, work: Work): unknown {
  const { flag, mode, writes, start } = work;
  const underMask = writes && mightWait() ? keepMask() : undefined;
  const open = (name: unknown) => openSync(name as string, flag, mode as never);
  return withTaken({}, (name) => {
    const claim = claimsOf([name], { writes });
    return inClaim(claim, (leave) => {
      let fd: number;
      let giveBack: () => void;
      try {
        [fd, giveBack] = openInPlace(() => (underMask ? underMask(() => open(name)) : open(name)));
        addFile(claim, fd);
      } catch (error) {
        leave();
        throw error;
      }
      const twin: NodeFunction = (...args) =>
        start(...(args as [number, AbortSignal, NodeFunction]));
      const closing = leavingAtEnd(twin, () => {
        closeSync(fd);
        giveBack();
        leave();
      });
      const controller = new AbortController();
      return through(original, closing, { abort: () => controller.abort() })(fd, controller.signal);
    });
  })(work.name);
}

/**
 * The same of something that keeps whoever opens it waiting: in nobody's way. Not by the asynchronous form on a
 * path, which on Node 26 reads and writes in one request with the opening, killed or not.
 */
function onStream({ name, flag, mode, start }: Work): unknown {
  const opening: NodeFunction = (path, done) => {
    const controller = new AbortController();
    const end = done as (error: unknown, value?: unknown) => void;
    fs.open(path as string, flag, mode as never, (error, fd) => {
      if (error) end(error);
      else
        start(fd, controller.signal, (failed, value) =>
          fs.close(fd, (closing) => end(failed ?? closing, value)),
        );
    });
    return controller;
  };
  const refused: NodeFunction = (path) => openSync(path as string, flag, mode as never);
  const abort = (controller: unknown) => (controller as AbortController | undefined)?.abort();
  return withTaken({}, through(refused, opening, { abort }))(name);
}

/** What it calls itself is not looked at again; of a stream each piece may park. */
function asFarAsPlain(look: Look | undefined, call: () => unknown): unknown {
  return look?.isPlain ? inOneGo(call) : call();
}

const parkedReadFile: Twin = (original) => {
  const whole = inOnePiece(original, {});
  return function (this: unknown, ...args: unknown[]): unknown {
    const [file, given] = args;
    if (typeof file === 'number') return readDescriptor(original, args);
    const name = absolute(file);
    if (name !== undefined && isKnownSmall(name))
      return inOneGo(() => Reflect.apply(whole, this, args));
    const look = name === undefined ? undefined : lookAtPath(name);
    if (name !== undefined && look) rememberIfSmall(name, look);
    if (!look || look.isDirectory || !isWorth(look, look.size))
      return asFarAsPlain(look, () => Reflect.apply(whole, this, args));
    const options = optionsOf(given);
    if (!options) return Reflect.apply(whole, this, args);
    const { encoding, flag = 'r' } = options;
    const work: Work = {
      ...{ name: file, flag, writes: false },
      start: (fd, signal, done) =>
        fs.readFile(fd, { encoding: encoding as null, signal }, done as never),
    };
    return look.isPlain ? onOpenFile(original, work) : onStream(work);
  };
};

type Encoded = { encoding?: string } | null | undefined;

/**
 * What is wrong with a descriptor is lost by the asynchronous form: the original says it. That one
 * reads bytes by `fs.readSync`, which parks; only what it decodes itself it reads in one piece.
 */
function readDescriptor(original: NodeFunction, args: unknown[]): unknown {
  const [fd, options] = args;
  const encoding = typeof options === 'string' ? options : (options as Encoded)?.encoding;
  // It asks for the size before it reads, and reads a pipe bit by bit.
  const read = () => {
    if (encoding !== 'utf8' && encoding !== 'utf-8') return original(...args);
    try {
      return (original(fd) as Buffer).toString(encoding);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
      return isClosed(fd) ? ofClosed(original, args) : original(...args);
    }
  };
  return unlessClosed(
    () => occupied(fd as number, () => during(claimsOf(args, {}), read)),
    () => ofClosed(original, args),
  );
}

/** The bytes to write, the caller's no more; undefined for what is no data, and for little of it. */
function bytesToWrite(data: unknown, options: Options, look: Look): Uint8Array | undefined {
  if (typeof data === 'string') {
    if (!isWorth(look, 4 * data.length)) return undefined;
    const { encoding } = options;
    const bytes = Buffer.from(data, (encoding === 'buffer' ? null : encoding) as never);
    return isWorth(look, bytes.byteLength) ? bytes : undefined;
  }
  if (!ArrayBuffer.isView(data) || !isWorth(look, data.byteLength)) return undefined;
  return copyOf(data);
}

/** For a descriptor: text in UTF-8 the original writes in one piece, bytes by `fs.writeSync`, which parks. */
function asBytes(fd: number, data: unknown, given: unknown): unknown {
  if (typeof data !== 'string' || !isWorthWriting(fd, data.length)) return data;
  const { encoding = 'utf8' } = optionsOf(given) ?? { encoding: null };
  return encoding === 'utf8' || encoding === 'utf-8' ? Buffer.from(data) : data;
}

function parkedWriteFile(usual: string): Twin {
  return (original) => {
    const whole = inOnePiece(original, content);
    return function (this: unknown, ...args: unknown[]): unknown {
      const [file, data, given] = args;
      if (typeof file === 'number')
        return occupied(file, () =>
          Reflect.apply(whole, this, [file, asBytes(file, data, given), ...args.slice(2)]),
        );
      const name = absolute(file);
      const look = name === undefined ? undefined : lookAtPath(name);
      const options = optionsOf(given);
      if (!look || !options) return Reflect.apply(whole, this, args);
      const bytes = bytesToWrite(data, options, look);
      if (!bytes) return asFarAsPlain(look, () => Reflect.apply(whole, this, args));
      const { mode = 0o666, flush } = options;
      const flag = options.flag || usual;
      const work: Work = {
        ...{ name: file, flag, mode, writes: true },
        start: (fd, signal, done) =>
          fs.writeFile(fd, bytes, { signal, ...(flush ? { flush } : {}) } as never, done as never),
      };
      return look.isPlain ? onOpenFile(original, work) : onStream(work);
    };
  };
}

export const wholeTwins: Record<string, Twin> = {
  appendFile: parkedWriteFile('a'),
  readFile: parkedReadFile,
  writeFile: parkedWriteFile('w'),
};
