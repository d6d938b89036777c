/** The main module of a CommonJS program, run in a greenlet. */
import Module from 'node:module';
import { run } from '../index.js';

type Load = (request: string, parent: unknown, isMain?: boolean) => unknown;

/**
 * Makes the main module, when it is CommonJS, run in a greenlet, where its blocking calls park. An
 * error that it throws is an uncaught exception, as without.
 */
export function runMainInGreenlet(): void {
  const loader = Module as unknown as { _load: Load };
  const load = loader._load;
  loader._load = function (this: unknown, request, parent, isMain) {
    if (!isMain) return load.call(this, request, parent, isMain);
    loader._load = load;
    run(() => load.call(this, request, parent, true)).catch(uncaught);
    return {};
  };
}

/** Ends the process as Node does, or hands the error to `process.on('uncaughtException')`. */
function uncaught(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}
