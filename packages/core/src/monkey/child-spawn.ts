/** child_process.spawn, which leaves nothing open of a child that there were no descriptors for. */
import childProcess, { type ChildProcess, type SpawnOptions } from 'node:child_process';

const { spawn } = childProcess;

interface Internal {
  spawn(this: ChildProcess, options: { stdio?: Pipe[] }): unknown;
}
interface Pipe {
  type: string;
  handle?: { close(): void };
}

/**
 * Node forgets the pipes of a child that it had no descriptors for (EMFILE, ENFILE), and those that were
 * made stay open for ever. They are seen only where a ChildProcess is told to spawn.
 */
export function spawnOrClose(
  file: string,
  list: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  const prototype = childProcess.ChildProcess.prototype as unknown as Internal;
  const original = prototype.spawn;
  let own: { stdio?: Pipe[] } | undefined;
  prototype.spawn = function (options) {
    own = options;
    return original.call(this, options);
  };
  let child: ChildProcess;
  try {
    child = spawn(file, list, options);
  } finally {
    prototype.spawn = original;
  }
  if (child.pid === undefined && !child.stdio)
    for (const { type, handle } of own?.stdio ?? []) if (type === 'pipe') handle?.close();
  return child;
}
