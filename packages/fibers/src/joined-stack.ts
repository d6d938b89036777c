/** Errors that cross from one stack to another: the trace shows both. */

const frame = /\n {4}at /;

function split(stack: string): [head: string, frames: string] {
  const at = stack.search(frame);
  return at < 0 ? [stack, ''] : [stack.slice(0, at), stack.slice(at)];
}

/**
 * Puts the frames of the caller of `above` before those of `error`, with a line between. The original
 * stays as `error.futureStack`; a second call starts from that.
 */
export function joinStack(error: object, above: (...args: never[]) => unknown): void {
  const own =
    Object.getOwnPropertyDescriptor(error, 'futureStack') ??
    Object.getOwnPropertyDescriptor(error, 'stack');
  if (!own || !Object.isExtensible(error)) return;
  if (Object.getOwnPropertyDescriptor(error, 'stack')?.configurable === false) return;
  const here: { stack?: string } = {};
  Error.captureStackTrace(here, above);
  Object.defineProperty(error, 'futureStack', { ...own, configurable: true });
  // Older Nodes have the stack as a value, newer as a getter. Either is put into words when it is
  // asked for, and not at each wait.
  Object.defineProperty(error, 'stack', {
    configurable: true,
    enumerable: false,
    get() {
      const stack = own.get ? own.get.call(error) : own.value;
      const [, frames] = split(String(here.stack));
      if (!stack) return here.stack;
      const [head, origin] = split(String(stack));
      return `${head}${frames}\n    - - - - -${origin}`;
    },
    set(value: unknown) {
      Object.defineProperty(error, 'stack', {
        configurable: true,
        enumerable: false,
        writable: true,
        value,
      });
    },
  });
}
