/** Output: what goes out to a client, as fast as it takes it. */
import type { Socket as NetSocket } from 'node:net';
import { park, type Resume } from '@tendril/core';

export class Output {
  readonly #stream: NetSocket;
  readonly #isTcp: boolean;
  #sender: Resume<void> | undefined = undefined;

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

  /** Nothing follows. To end a stream twice makes an error, even if nobody looks at it. */
  end(): void {
    if (!this.#stream.writableEnded) this.#stream.end();
  }

  /** Breaks the connection off, so that the client can tell. */
  reset(): void {
    if (this.#isTcp) this.#stream.resetAndDestroy();
    else this.#stream.destroy();
  }
}
