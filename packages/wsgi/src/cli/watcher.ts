/** Watches source files, for `--reload`. */
import { type FSWatcher, readdirSync, watch } from 'node:fs';
import path from 'node:path';

const source = /\.(?:[cm]?[jt]sx?|json|node|wasm)$/;
/** Editors save in several steps, and builds write many files, milliseconds apart. */
const settling = 200;

/** All folders below; packages and hidden ones have too many files that nobody edits. */
function* foldersBelow(folder: string): Generator<string> {
  yield folder;
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const skipped = entry.name === 'node_modules' || entry.name.startsWith('.');
      if (entry.isDirectory() && !skipped) yield* foldersBelow(path.join(folder, entry.name));
    }
  } catch {
    // It has gone meanwhile.
  }
}

/**
 * Calls `changed` with the name of a file some time after source files in a folder, or below, have
 * changed. Folders are watched one by one: Node's own recursion goes into node_modules.
 * @returns how to end it
 */
export function watchSources(folder: string, changed: (file: string) => void): () => void {
  const watchers = new Map<string, FSWatcher>();
  let timer: NodeJS.Timeout | undefined;
  let last = '';

  const watchFolder = (at: string) => {
    try {
      const watcher = watch(at, (_event, name) => {
        if (name === null || source.test(name)) note(path.join(at, name ?? ''));
        else if (!name.startsWith('.')) watchAll(); // perhaps a new folder
      });
      watcher.on('error', () => forget(at));
      watchers.set(at, watcher);
    } catch {
      // It has gone meanwhile.
    }
  };
  const forget = (at: string) => {
    watchers.get(at)?.close();
    watchers.delete(at);
  };
  const watchAll = () => {
    const now = new Set(foldersBelow(folder));
    for (const at of [...watchers.keys()]) if (!now.has(at)) forget(at);
    for (const at of now) if (!watchers.has(at)) watchFolder(at);
  };
  const note = (file: string) => {
    last = file;
    clearTimeout(timer);
    timer = setTimeout(() => changed(last), settling);
  };

  watchAll();
  return () => {
    clearTimeout(timer);
    for (const at of [...watchers.keys()]) forget(at);
  };
}
