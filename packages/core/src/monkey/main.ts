/** The main module of a CommonJS program, run in a greenlet. */
import Module from 'node:module';
import { run } from '../index.js';
import { loader } from './loading.js';
import { uncaught } from './uncaught.js';

/** What Node's loader of ES modules, which is the first of all with `--import`, keeps here. */
const modules = (Module as unknown as { _cache: Record<string, NodeModule | undefined> })._cache;

/**
 * Makes the main module, when it is CommonJS, run in a greenlet, where its blocking calls park. It
 * starts on the next turn of the event loop. An error that it throws is an uncaught exception, as
 * without.
 */
export function runMainInGreenlet(): void {
  const load = loader._load;
  loader._load = function (request, parent, isMain, ...own) {
    if (!isMain) return load.call(this, request, parent, isMain, ...own);
    loader._load = load;
    const module = modules[request];
    run(() => {
      // Node 26 takes a main module that has not been loaded on return for loaded elsewhere.
      if (module) module.loaded = false;
      try {
        load.call(this, request, parent, true, ...own);
      } catch (error) {
        uncaught(error);
      }
    }).catch(uncaught);
    return module?.exports ?? {};
  };
}
