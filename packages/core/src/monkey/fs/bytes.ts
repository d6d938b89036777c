/** What goes through descriptors: open, read, write and their kind. */
import fs from 'node:fs';
import { firstOf, through } from '../parking.js';
import type { NodeFunction } from '../registry.js';
import { bytesOf, copyOf, pieceOf, scatter, sizeOf, viewsOf } from './buffers.js';
import { occupy } from './closed.js';
import { inOnePiece, inTurn, type Nature, withTaken } from './held.js';
import type { Twin } from './index.js';
import { isWorth, lookAtDescriptor, lookAtPath, policy } from './policy.js';
import { absolute } from './taken.js';

const reading: Nature = { descriptor: true, moves: true };
const readingAt: Nature = { descriptor: true };
const writing: Nature = { descriptor: true, moves: true, writes: true, bytes: 1 };

/** Bytes: what a pipe of Linux takes at once, pipe(7). */
const pipeSize = 65_536;

const { readSync, writeSync } = fs; // as they are before they are patched

type Done = (error: unknown, count: number) => void;

/** fs.read and fs.write, as they are used here. */
type Transfer = (
  fd: number,
  memory: Uint8Array,
  offset: number,
  length: number,
  position: number | bigint | null,
  done: Done,
) => void;

/** What a thread does at a descriptor, whose number is kept until then, closed or not. */
function occupying(fd: number, start: (done: Done) => void): NodeFunction {
  return (_fd, done) => {
    const end = occupy(fd);
    try {
      start((...outcome) => {
        end();
        (done as Done)(...outcome);
      });
    } catch (error) {
      end();
      throw error;
    }
  };
}

/** What is none is refused by the original. */
function isDescriptor(fd: unknown): fd is number {
  return Number.isInteger(fd) && (fd as number) >= 0 && (fd as number) < 2 ** 31;
}

function isWorthReading(fd: unknown, size: number): fd is number {
  return isDescriptor(fd) && size > 0 && isWorth(lookAtDescriptor(fd), size);
}

/** What fits into a pipe costs no more than a file: loggers write their lines so, and rely on it. */
export function isWorthWriting(fd: unknown, size: number): fd is number {
  if (!isDescriptor(fd) || size === 0) return false;
  const look = lookAtDescriptor(fd);
  const isMuch = look.isPlain || policy.park === 'all' || size > pipeSize;
  return isMuch && isWorth(look, size);
}

/** Where a call reads to: how much there is room for, from which position, and how it is dealt out. */
interface Target {
  readonly size: number;
  readonly position: number | bigint | null;
  take(got: Uint8Array): void;
}

const natureOf = (position: Target['position']) => (position === null ? reading : readingAt);

/** Reads into memory of its own: somebody else may use the caller's meanwhile. */
function readParked(fd: number, { size, position }: Target): Uint8Array {
  const memory = Buffer.allocUnsafeSlow(size);
  const read = fs.read as unknown as Transfer;
  const start = (done: Done) => read(fd, memory, 0, size, position, done);
  const plainly: NodeFunction = (at) => readSync(at as number, memory, 0, size, position);
  const nature = natureOf(position);
  const count = inTurn(plainly, occupying(fd, start), nature, { args: firstOf(1) })(fd) as number;
  return memory.subarray(0, count);
}

function writeParked(fd: number, bytes: Uint8Array, position: number | bigint | null): number {
  const write = fs.write as unknown as Transfer;
  const { byteLength } = bytes;
  const start = (done: Done) => write(fd, bytes, 0, byteLength, position, done);
  const plainly: NodeFunction = (at) =>
    writeSync(at as number, bytes, 0, byteLength, position as never);
  return inTurn(plainly, occupying(fd, start), writing, { args: firstOf(1) })(fd) as number;
}

/** `(fd, …)`; `targetOf` tells of the rest what it means, or undefined for what the original has to refuse. */
function parkedReading(targetOf: (rest: unknown[]) => Target | undefined): Twin {
  return (original) => {
    const whole = inOnePiece(original, reading);
    const wholeAt = inOnePiece(original, readingAt);
    return function (this: unknown, ...args: unknown[]): unknown {
      const [fd, ...rest] = args;
      const target = targetOf(rest);
      if (!target || !isWorthReading(fd, target.size))
        return Reflect.apply(target?.position === null ? whole : wholeAt, this, args);
      const got = readParked(fd, target);
      target.take(got);
      return got.byteLength;
    };
  };
}

const parkedRead = parkedReading((rest) => {
  // Of three arguments readSync takes the last for its options, whatever it is.
  const piece = pieceOf(rest, rest.length <= 2 || typeof rest[1] === 'object');
  if (!piece) return undefined;
  const { length: size, position } = piece;
  return { size, position, take: (got) => bytesOf(piece).set(got) };
});

const parkedReadv = parkedReading(([buffers, position]) => {
  const views = viewsOf(buffers);
  if (!views || !isPlace(position)) return undefined;
  const size = sizeOf(views);
  return { size, position: position ?? null, take: (got) => scatter(got, views) };
});

function isPlace(position: unknown): position is number | null | undefined {
  return position === undefined || position === null || Number.isSafeInteger(position);
}

/** `(string, position, encoding)`, as bytes. */
function textOf([text, position, encoding = 'utf8']: readonly unknown[]):
  | { bytes: Uint8Array; position: number | null }
  | undefined {
  if (typeof text !== 'string' || !isPlace(position)) return undefined;
  // Others may not be what they seem: an odd number of hexadecimal digits is refused.
  if (encoding !== 'utf8' && encoding !== 'utf-8' && encoding !== 'latin1') return undefined;
  return { bytes: Buffer.from(text, encoding), position: position ?? null };
}

const parkedWrite: Twin = (original) => {
  const whole = inOnePiece(original, writing);
  return function (this: unknown, ...args: unknown[]): unknown {
    const [fd, ...rest] = args;
    const piece = pieceOf(rest);
    if (piece) {
      if (!isWorthWriting(fd, piece.length)) return Reflect.apply(whole, this, args);
      return writeParked(fd, copyOf(bytesOf(piece)), piece.position);
    }
    // Most of them are short: those are not made bytes twice.
    const [text] = rest;
    const size = typeof text === 'string' ? text.length : 0;
    const given = isWorthWriting(fd, size) ? textOf(rest) : undefined;
    if (!given) return Reflect.apply(whole, this, args);
    return writeParked(fd as number, given.bytes, given.position);
  };
};

const parkedWritev: Twin = (original) => {
  const whole = inOnePiece(original, writing);
  return function (this: unknown, ...args: unknown[]): unknown {
    const [fd, buffers, position] = args;
    const views = viewsOf(buffers);
    if (!views || !isPlace(position) || !isWorthWriting(fd, sizeOf(views)))
      return Reflect.apply(whole, this, args);
    return writeParked(fd, Buffer.concat(views), position ?? null);
  };
};

function onlyReads(flags: unknown): boolean {
  return (flags ?? 'r') === 'r' || flags === fs.constants.O_RDONLY;
}

interface Forms {
  whole: NodeFunction;
  parked: NodeFunction;
}

/** Nobody has the descriptor that a killed greenlet had asked for. */
const closeLate = { args: firstOf(3), discard: (fd: unknown) => fs.close(fd as number) };

/** Waits for who opens the other end of a pipe, in nobody's way; everything else is open at once. */
const parkedOpen: Twin = (original, twin) => {
  const waiting = withTaken({}, through(original, twin, closeLate));
  const [toRead, toWrite] = [{}, { writes: true }].map((nature) => ({
    whole: inOnePiece(original, nature),
    parked: inTurn(original, twin, nature, closeLate),
  })) as [Forms, Forms];
  return function (this: unknown, ...args: unknown[]): unknown {
    const name = absolute(args[0]);
    const look = name === undefined ? undefined : lookAtPath(name);
    const { whole, parked } = onlyReads(args[1]) ? toRead : toWrite;
    if (!look || !isWorth(look, 0)) return Reflect.apply(whole, this, args);
    return Reflect.apply(look.isPlain ? parked : waiting, this, args);
  };
};

export const byteTwins: Record<string, Twin> = {
  open: parkedOpen,
  read: parkedRead,
  readv: parkedReadv,
  write: parkedWrite,
  writev: parkedWritev,
};
