/**
 * How many files are open for parked calls at a time. libuv works on four of them (UV_THREADPOOL_SIZE), so that
 * more would only use up descriptors, of which one call after the other, as it was written, needs just one.
 */
import { Event, Semaphore } from '../../index.js';

const most = 16;
const places = new Semaphore(most);
let taken = 0;
let oneLess = new Event();

function giveBack(): void {
  taken--;
  places.release();
  oneLess.set();
  oneLess = new Event();
}

/** There is no descriptor left, here or in the whole system. */
function isShortage(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}

/**
 * Parks for a place and opens a file; where there is no descriptor for it, once more when another call has
 * closed its own. What it returns gives the place back.
 */
export function openInPlace(open: () => number): readonly [fd: number, giveBack: () => void] {
  places.acquire();
  taken++;
  try {
    return [openPatiently(open), giveBack];
  } catch (error) {
    giveBack();
    throw error;
  }
}

function openPatiently(open: () => number): number {
  try {
    return open();
  } catch (error) {
    if (!isShortage(error) || taken < 2) throw error;
    oneLess.wait();
    return open();
  }
}
