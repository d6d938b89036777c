/** Where the two forms of a function do not report the same error alike. */
import type { NodeFunction } from '../registry.js';

/**
 * Takes the path out of the errors of a system call, when the synchronous form of this Node leaves it
 * out. Which it does is found out by `failing`, a path that makes that call fail.
 */
export function dropPathUnlike(
  original: NodeFunction,
  syscall: string,
  failing: string,
): (error: unknown) => unknown {
  let leavesOut: boolean | undefined;
  return (error) => {
    const reported = error as NodeJS.ErrnoException;
    if (reported.syscall !== syscall || reported.path === undefined) return error;
    leavesOut ??= hasNoPath(original, failing);
    if (leavesOut) {
      reported.message = reported.message.replace(` '${reported.path}'`, '');
      delete reported.path;
    }
    return error;
  };
}

function hasNoPath(original: NodeFunction, failing: string): boolean {
  try {
    original(failing);
  } catch (error) {
    return (error as NodeJS.ErrnoException).path === undefined;
  }
  return false;
}
