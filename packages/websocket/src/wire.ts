/** Wire: the protocol, as ws speaks it, with what it has to tell us beyond its events. */
import { WebSocket as Raw } from 'ws';
import type { Settings } from './options.js';

/** What ws has for the time after a close is a total, and cuts off what a slow peer is still taking. */
const never = 2 ** 31 - 1;

export class Wire extends Raw {
  /** Called when either side begins to close. */
  closing: (() => void) | undefined = undefined;

  // ws calls this, too, for a close of the peer's.
  override close(code?: number, reason?: string | Buffer): void {
    super.close(code, reason);
    this.closing?.();
  }
}

/** The options that both sides of ws take. */
export function wireOptions({ maxPayload, perMessageDeflate }: Settings): object {
  return {
    maxPayload,
    perMessageDeflate,
    closeTimeout: never,
    // Each piece costs more than its byte, and a fragment may hold the whole read that it came in.
    maxFragments: Math.max(1024, Math.ceil(maxPayload / 1024)),
    maxBufferedChunks: Math.max(1024, Math.ceil(maxPayload / 256)),
  };
}
