/** Directories and trees. */
import fs from 'node:fs';
import path from 'node:path';
import { firstOf, through } from '../parking.js';
import type { NodeFunction } from '../registry.js';
import { dropPathUnlike } from './errors.js';
import type { Twin } from './index.js';
import { parkedReaddir } from './readdir.js';

/** What is made for a greenlet that is killed goes again. */
const removeLate = (name: unknown) => fs.rmdir(name as string, () => {});

const parkedMkdtemp: Twin = (original, twin) =>
  through(original, twin, { args: firstOf(2), discard: removeLate });

/** The asynchronous form's directory is removed by a promise: this one's by a call that parks. */
function parkedMkdtempDisposable(original: NodeFunction): NodeFunction {
  const make = through(original, fs.mkdtemp as NodeFunction, {
    args: firstOf(2),
    discard: removeLate,
    result: ([name]) => {
      const full = path.resolve(String(name)); // the process may change its directory
      const remove = () => fs.rmSync(full, { recursive: true, force: true });
      return {
        path: name,
        remove,
        [Symbol.dispose]() {
          remove();
        },
      };
    },
  });
  return make;
}

export const directoryTwins: Record<string, Twin> = {
  glob: (original, twin) => through(original, twin, { args: firstOf(2) }),
  mkdtemp: parkedMkdtemp,
  opendir: (original, twin) =>
    through(original, twin, {
      args: firstOf(2),
      error: dropPathUnlike(original, 'opendir', '/dev/null/none'),
      discard: (directory) => (directory as fs.Dir).close(() => {}),
    }),
  readdir: parkedReaddir,
  rm: (original, twin) => through(original, twin, { args: firstOf(2) }),
};

/** These have no twin that takes a callback. */
export const withoutTwins: Record<string, (original: NodeFunction) => NodeFunction> = {
  mkdtempDisposableSync: parkedMkdtempDisposable,
};
