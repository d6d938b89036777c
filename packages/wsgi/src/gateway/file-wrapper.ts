/** `wsgi.file_wrapper`: a file as the body of a response, a block at a time. */
import { close, read } from 'node:fs';
import { InvalidArgumentError, park } from '@tendril/core';

/** A Python-like file, or a file descriptor, which is closed at the end. */
export type FileLike = { read(size: number): string | Uint8Array; close?(): void } | number;

const defaultBlock = 64 * 1024;

/** Returned from an application in place of a list (PEP 3333, "Optional Platform-Specific File Handling"). */
export class FileWrapper implements Iterable<string | Uint8Array> {
  readonly #file: FileLike;
  readonly #blockSize: number;
  #closed = false;

  constructor(file: FileLike, blockSize = defaultBlock) {
    if (typeof file !== 'number' && typeof file?.read !== 'function')
      throw new InvalidArgumentError('file', 'a file descriptor or an object with read()', file);
    if (!(Number.isInteger(blockSize) && blockSize > 0))
      throw new InvalidArgumentError('blockSize', 'a whole number of bytes, 1 or more', blockSize);
    this.#file = file;
    this.#blockSize = blockSize;
  }

  #block(): string | Uint8Array {
    const file = this.#file;
    if (typeof file !== 'number') return file.read(this.#blockSize);
    // A new buffer for each block: the one before may still be on its way out.
    const buffer = Buffer.allocUnsafeSlow(this.#blockSize);
    const count = park<number>((resume) => {
      read(file, buffer, 0, buffer.length, null, (error, bytesRead) =>
        error ? resume.error(error) : resume(bytesRead),
      );
    });
    return buffer.subarray(0, count);
  }

  *[Symbol.iterator](): Generator<string | Uint8Array, void, undefined> {
    for (let block = this.#block(); block.length > 0; block = this.#block()) yield block;
  }

  /** Called by the server when the response is over, however it ended. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (typeof this.#file === 'number') close(this.#file, () => {});
    else this.#file.close?.();
  }
}
