/**
 * node-fibers' report of its own use, for programs that are about to leave it: with
 * ENABLE_LOG_USE_FIBERS=1 each yield, run and throwInto says so on standard error; with a higher number
 * its stack, too, and with LOG_USE_FIBERS_INCLUDE_IN_PATH only stacks with that text. Read at load.
 */
const level = Number(process.env.ENABLE_LOG_USE_FIBERS ?? 0);
const wanted = process.env.LOG_USE_FIBERS_INCLUDE_IN_PATH;

function report(method: string): void {
  const line = `[FIBERS_LOG] Using ${method}.`;
  if (level === 1) {
    console.warn(line);
    return;
  }
  const { stack = line } = new Error(line);
  if (!wanted || stack.includes(wanted)) console.warn(stack);
}

/** Called with the name of a method at each use; undefined if nobody wants to know. */
export const logUse: ((method: string) => void) | undefined = level ? report : undefined;
