/** LogFile: a file that lines are added to, and that can be moved away meanwhile. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { messageOf, SetupError } from './errors.js';

/** Characters at which lines are written without waiting for the end of the turn. */
const highWater = 64 * 1024;

/**
 * Several processes may write to one file: it is opened for appending, and only whole lines are
 * written. The lines of one turn of the event loop go out together.
 */
export class LogFile {
  readonly #path: string;
  readonly #standard: NodeJS.WriteStream | undefined;
  #fd = -1;
  #lines = '';
  #scheduled = false;
  /** The file was moved, and the new one could not be opened yet. */
  #moved = false;

  /** @param path `-` for `standard` @throws SetupError */
  constructor(path: string, standard: NodeJS.WriteStream) {
    this.#path = path;
    this.#standard = path === '-' ? standard : undefined;
    // A reader that goes away, such as `head`, must not take the server with it.
    if (this.#standard) this.#standard.on('error', () => {});
    else this.#open();
  }

  #open(): void {
    try {
      this.#fd = openSync(this.#path, 'a');
    } catch (error) {
      throw new SetupError(`The log file cannot be opened: ${messageOf(error)}.`, { cause: error });
    }
  }

  write(text: string): void {
    if (this.#standard) {
      this.#standard.write(text);
      return;
    }
    this.#lines += text;
    if (this.#lines.length >= highWater) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.flush());
    }
  }

  /** Writes what is left. A full disk costs lines, and no requests. */
  flush(): void {
    this.#scheduled = false;
    if (this.#moved) this.#replace();
    if (this.#lines === '') return;
    const bytes = Buffer.from(this.#lines);
    this.#lines = '';
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch {
      // There is nowhere to report it to.
    }
  }

  /** Goes on in a new file if the old one was moved. */
  reopen(): void {
    if (this.#standard) return;
    this.flush();
    this.#replace();
  }

  #replace(): void {
    const old = this.#fd;
    try {
      this.#open();
      this.#moved = false;
    } catch {
      // The old one is better than none. Out of descriptors, for instance: the next lines try again.
      this.#moved = true;
      return;
    }
    closeSync(old);
  }
}
