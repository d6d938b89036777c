/** A small configuration file that is read again when it has changed. */
import fs from 'node:fs';
import { hub } from '../hub/hub.js';

// Taken now: when they are patched later, a look at a file must not park whoever looks a name up.
const { readFileSync, statSync } = fs;

/** Milliseconds between two looks at a file. */
const interval = 1000;

export class WatchedFile<T> {
  readonly #path: string;
  readonly #parse: (text: string) => T;
  #value: T | undefined;
  #version = '';
  #nextLook = Number.NEGATIVE_INFINITY;

  constructor(path: string, parse: (text: string) => T) {
    this.#path = path;
    this.#parse = parse;
  }

  /** What is in the file now, or was at most a second ago. A file that cannot be read is an empty one. */
  get(): T {
    const now = hub.clock.now();
    if (this.#value === undefined || now >= this.#nextLook) {
      this.#nextLook = now + interval;
      const version = this.#look();
      if (this.#value === undefined || version !== this.#version) {
        this.#version = version;
        this.#value = this.#parse(this.#read());
      }
    }
    return this.#value;
  }

  #look(): string {
    const found = statSync(this.#path, { throwIfNoEntry: false, bigint: true });
    return found ? `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs}` : 'none';
  }

  #read(): string {
    try {
      return readFileSync(this.#path, 'utf8');
    } catch {
      return '';
    }
  }
}
