/** Whether the process is going away. */

/**
 * From `process.exit()` on: what is patched is the original then, so that what a listener of `exit`
 * writes is written. For ever, even if a listener that threw has stopped the exit: Node calls nothing by
 * `process.nextTick` any more, and few asynchronous functions come to an end without.
 */
export function isLeaving(): boolean {
  return (process as { _exiting?: boolean })._exiting === true;
}
