/** SendProgress: whether a peer takes anything of what is sent to it. */
import type { Socket as NetSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { inodeOf, kernelQueue } from './kernel-queues.js';

/**
 * `writeQueueSize` is what Node's own `socket.setTimeout` goes by: the bytes of the write under way that
 * the kernel has not taken.
 */
type Handle = { readonly writeQueueSize?: number; readonly fd?: number };

/** How often in its time limit a stream is looked at: a stalled one is found that much late at most. */
export const looks = 4;

/** On a machine with very many connections it takes some seconds to see one of them, in milliseconds. */
const patience = 10_000;

/**
 * Looks at a stream's output from time to time. A limit on "takes nothing" cannot go by events: a write
 * of many megabytes is one event at its end, however steadily it goes out. What is written meanwhile,
 * pings for one, is no progress.
 */
export class SendProgress {
  readonly #stream: Duplex;
  /** Bytes of writes that are done. */
  #done = 0;
  #underWay = 0;
  #inode: string | undefined = undefined;
  #inKernel = 0;
  #reading = 0;
  #still = 0;
  #blind = 0;
  #since = 0;

  constructor(stream: Duplex) {
    this.#stream = stream;
  }

  /** Begins to count. @returns milliseconds to the first {@link stalled}, for a limit of `ms` */
  begin(ms: number): number {
    this.#movedHere();
    this.#begin();
    return ms / looks;
  }

  /**
   * To be asked at that interval: has the peer taken nothing for the whole limit? While that cannot be
   * told, it gets twice the limit, and no less than {@link patience}.
   */
  stalled(): boolean {
    const moved = this.moved();
    if (moved) this.#begin();
    else if (moved === false) this.#still++;
    else this.#blind++;
    if (this.#still >= looks) return true;
    return this.#still + this.#blind >= 2 * looks && performance.now() - this.#since > patience;
  }

  #begin(): void {
    this.#still = this.#blind = 0;
    this.#since = performance.now();
  }

  /** Has the peer taken something since this was asked last? Undefined if there is no telling yet. */
  moved(): boolean | undefined {
    return this.#movedHere() || this.#movedInKernel();
  }

  /** Bytes that were sent and not taken, as far as the last answer knew. */
  get backlog(): number {
    return this.#stream.writableLength + this.#inKernel;
  }

  get #handle(): Handle | undefined {
    return (this.#stream as { _handle?: Handle | null })._handle ?? undefined;
  }

  #movedHere(): boolean {
    const { writableLength, bytesWritten = 0 } = this.#stream as Duplex & Partial<NetSocket>;
    const done = bytesWritten - writableLength;
    const underWay = this.#handle?.writeQueueSize ?? 0;
    const moved = done > this.#done || underWay < this.#underWay;
    this.#done = done;
    this.#underWay = underWay;
    return moved;
  }

  #movedInKernel(): boolean | undefined {
    const descriptor = this.#handle?.fd;
    if (this.#inode === undefined && descriptor !== undefined && descriptor >= 0)
      this.#inode = inodeOf(descriptor);
    if (this.#inode === undefined) return false;
    const queue = kernelQueue(this.#inode);
    if (queue === undefined || queue.reading === this.#reading) return undefined;
    const moved = queue.bytes < this.#inKernel;
    this.#reading = queue.reading;
    this.#inKernel = queue.bytes;
    return moved;
  }
}

/**
 * Calls `fire`, once, when the peer has taken nothing of what is sent on `stream` for `ms` milliseconds.
 * While nothing is to be sent, nothing is taken. The timer does not hold the process.
 *
 * @returns how to stop it
 */
export function whenStalled(stream: Duplex, ms: number, fire: () => void): () => void {
  if (ms === Number.POSITIVE_INFINITY) return () => {};
  const progress = new SendProgress(stream);
  const timer = setInterval(() => {
    if (!progress.stalled()) return;
    clearInterval(timer);
    fire();
  }, progress.begin(ms)).unref();
  return () => clearInterval(timer);
}
