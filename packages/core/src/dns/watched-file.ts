/** A small configuration file that is read again when it has changed. */
import fs from 'node:fs';
import { hub } from '../hub/hub.js';

// Taken now: when they are patched later, a look at a file must not park whoever looks a name up.
const { readFileSync, statSync } = fs;

/** Milliseconds between two looks at a file. */
const interval = 1000;
/** Bytes. Reading holds everybody up; lists of blocked hosts, the largest ones, have some megabytes. */
const largest = 64 * 2 ** 20;

/** These say nothing about the file: what was read before still counts, and the next look may succeed. */
const passing = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EINTR', 'EAGAIN', 'EIO', 'ESTALE']);

export class WatchedFile<T> {
  readonly #path: string;
  readonly #parse: (text: string) => T;
  #value: T | undefined;
  #version: string | undefined;
  #nextLook = Number.NEGATIVE_INFINITY;

  constructor(path: string, parse: (text: string) => T) {
    this.#path = path;
    this.#parse = parse;
  }

  /**
   * What is in the file now, or was at most a second ago. Never throws: one that cannot be read, for
   * whatever reason, is an empty one (so glibc has it), and so is one that is no plain file or too large.
   */
  get(): T {
    const now = hub.clock.now();
    if (this.#value !== undefined && now < this.#nextLook) return this.#value;
    this.#nextLook = now + interval;
    const text = this.#news();
    if (text !== undefined) this.#value = this.#parse(text);
    else if (this.#value === undefined) this.#value = this.#parse('');
    return this.#value;
  }

  /** The text, unless it is that of the last time. */
  #news(): string | undefined {
    let version: string | undefined;
    let text = '';
    try {
      const found = statSync(this.#path, { throwIfNoEntry: false, bigint: true });
      version = found ? `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs}` : 'none';
      if (version === this.#version) return undefined;
      // A pipe would be waited for.
      if (found?.isFile() && found.size <= largest) text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if (passing.has((error as { code: string }).code)) return undefined;
      version = undefined; // it may become readable without any other change
    }
    this.#version = version;
    return text;
  }
}
