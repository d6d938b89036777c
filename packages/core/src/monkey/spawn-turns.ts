/**
 * One child process is started in each turn of the event loop: a start stops the whole process for some
 * milliseconds, more with a large heap (fork(2) copies page tables), and a hundred in one turn would be
 * a stall for everybody.
 */

const waiting = new Set<() => void>();
let taken = false;

/** Calls `start` in a turn in which nothing else is started: at once, if this is one. Returns how to withdraw. */
export function inTurn(start: () => void): () => void {
  if (!taken) {
    take();
    start();
  } else waiting.add(start);
  return () => void waiting.delete(start);
}

/** Whether {@link inTurn} would have to wait now. */
export function isTurnTaken(): boolean {
  return taken;
}

function take(): void {
  taken = true;
  setImmediate(() => {
    const [next] = waiting;
    taken = next !== undefined;
    if (!next) return;
    waiting.delete(next);
    take();
    next();
  });
}
