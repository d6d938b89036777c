/** Heartbeat: finds out about peers that are gone without a word. */
import type { Socket as NetSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket as Raw } from 'ws';

/**
 * Pings every `interval` milliseconds, and destroys the connection if not a byte has come since the
 * ping before. Bytes, not pongs: a pong cannot overtake a long message on a slow line.
 *
 * @returns how to stop it
 */
export function heartbeat(raw: Raw, stream: Duplex, interval: number): () => void {
  if (interval === Number.POSITIVE_INFINITY) return () => {};
  const net = stream as Partial<NetSocket>;
  let heard = -1;
  const timer = setInterval(() => {
    const bytes = net.bytesRead ?? 0;
    // While we do not read, nothing is heard from the liveliest peer.
    if (bytes === heard && !raw.isPaused) {
      raw.terminate();
      return;
    }
    heard = bytes;
    raw.ping();
  }, interval);
  timer.unref();
  return () => clearInterval(timer);
}
