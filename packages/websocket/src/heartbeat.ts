/** Heartbeat: finds out about peers that are gone without a word. */
import type { Socket as NetSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { SendProgress } from '@tendril/wsgi';
import type { WebSocket as Raw } from 'ws';

/** More than some pings: what a peer may be busy taking, and have a ping behind. */
const muchUnsent = 16 * 1024;

/**
 * Pings every `interval` milliseconds, and destroys the connection if not a byte has come since the
 * ping before, and none was taken. Bytes, not pongs: a pong cannot overtake a long message on a slow
 * line, and neither can a ping.
 *
 * @returns how to stop it
 */
export function heartbeat(raw: Raw, stream: Duplex, interval: number): () => void {
  if (interval === Number.POSITIVE_INFINITY) return () => {};
  const net = stream as Partial<NetSocket>;
  let heard = -1;
  let progress: SendProgress | undefined;
  let spared = false;
  let stood = false;
  let due = performance.now() + interval;

  // A ping may wait behind much that is taken slowly. Where that cannot be told yet, there is one more
  // beat to find out.
  function takes(): boolean {
    progress ??= new SendProgress(stream);
    const before = progress.backlog;
    const moved = progress.moved();
    const taken = moved === true && before > muchUnsent;
    if (spared && !taken) return false;
    spared = !taken && (moved === undefined || progress.backlog > muchUnsent);
    return taken || spared;
  }

  const timer = setInterval(() => {
    const now = performance.now();
    // The process stood still, and has not read yet what came meanwhile: it will, before the next beat.
    stood = !stood && now - due > interval / 2;
    due = now + interval;
    const bytes = net.bytesRead ?? 0;
    // While we do not read, nothing is heard from the liveliest peer.
    if (bytes === heard && !raw.isPaused && !stood && !takes()) {
      raw.terminate();
      return;
    }
    if (bytes !== heard) spared = false;
    heard = bytes;
    raw.ping();
  }, interval);
  timer.unref();
  return () => clearInterval(timer);
}
