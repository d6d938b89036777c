/** The mask of modes of new files (umask(2)), which is the whole process's: kept for a call that has to wait. */
import fs from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const { readFileSync } = fs; // as it is before it is patched

/** Not by process.umask(), which sets another one for a moment: threads may be making files meanwhile. */
export function currentMask(): number {
  try {
    const [, mask] = /^Umask:\s*([0-7]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (mask !== undefined) return Number.parseInt(mask, 8);
  } catch {
    // no proc(5), or a kernel before 4.7
  }
  return process.umask();
}

/**
 * Returns what calls a function later as if it were now. That must not park: the mask would be everybody's
 * meanwhile. Workers cannot set it.
 */
export function keepMask(): <T>(later: () => T) => T {
  const mask = currentMask();
  return (later) => {
    const current = currentMask();
    if (current === mask || !isMainThread) return later();
    process.umask(mask);
    try {
      return later();
    } finally {
      process.umask(current);
    }
  };
}
