/** Output: what goes out to a client, as fast as it takes it. */
import type { Socket as NetSocket } from 'node:net';
import { park, type Resume } from '@tendril/core';
import { SendProgress } from './send-progress.js';

export class Output {
  readonly #stream: NetSocket;
  readonly #isTcp: boolean;
  #sender: Resume<void> | undefined = undefined;
  /** Made for the first client that is behind: most never are. */
  #progress: SendProgress | undefined = undefined;

  constructor(stream: NetSocket, isTcp: boolean) {
    this.#stream = stream;
    this.#isTcp = isTcp;
  }

  /** Writes text as latin1, or bytes. False if the client is behind. */
  write(data: string | Uint8Array): boolean {
    return typeof data === 'string' ? this.#stream.write(data, 'latin1') : this.#stream.write(data);
  }

  /** True if the client is behind. */
  get behind(): boolean {
    return this.#stream.writableNeedDrain;
  }

  /** Parks until {@link wake}: the client has taken what there was, or has gone. */
  wait(): void {
    park<void>((resume) => {
      this.#sender = resume;
      return () => {
        this.#sender = undefined;
      };
    });
  }

  wake(): void {
    const sender = this.#sender;
    this.#sender = undefined;
    sender?.();
  }

  /** Holds what is written back, to send it in one piece. */
  cork(): void {
    this.#stream.cork();
  }

  /** Sends what was held back, however often `cork` was called. Harmless without. */
  uncork(): void {
    while (this.#stream.writableCorked > 0) this.#stream.uncork();
  }

  /** Something has not gone to the kernel yet. */
  get pending(): boolean {
    return this.#stream.writableLength > 0;
  }

  /**
   * Nothing follows. `left` is called when all has gone out, later.
   * @returns whether all has gone out already
   */
  end(left: () => void): boolean {
    // To end a stream twice makes an error, even if nobody looks at it.
    if (this.#stream.writableEnded) return !this.pending;
    if (this.pending) {
      this.#stream.end(left);
      return false;
    }
    this.#stream.end();
    return true;
  }

  /** Begins to watch whether the client takes anything; when to ask {@link stalled}, for a limit of `ms`. */
  watch(ms: number): number {
    this.#progress ??= new SendProgress(this.#stream);
    return this.#progress.begin(ms);
  }

  /** The client has taken nothing for the whole limit. */
  get stalled(): boolean {
    return this.#progress?.stalled() ?? false;
  }

  /** Breaks the connection off, so that the client can tell. */
  reset(): void {
    if (this.#isTcp) this.#stream.resetAndDestroy();
    else this.#stream.destroy();
  }
}
