/** Directories and trees. */
import fs from 'node:fs';
import path from 'node:path';
import { firstOf, refusal, through } from '../parking.js';
import type { NodeFunction } from '../registry.js';
import { parkedCopy } from './copy.js';
import { dropPathUnlike } from './errors.js';
import type { Twin } from './index.js';
import { parkedReaddir } from './readdir.js';

/** What mkdtemp(3) puts random letters in the place of. */
const random = 'XXXXXX';

/** What is made for a greenlet that is killed goes again. */
const removeLate = (name: unknown) => fs.rmdir(name as string, () => {});

/** The synchronous form reports the template, the asynchronous one the last name that it tried. */
function reportTemplate(error: unknown): unknown {
  const reported = error as NodeJS.ErrnoException;
  const { path: tried, syscall } = reported;
  if (syscall !== 'mkdtemp' || tried === undefined) return error;
  reported.path = `${tried.slice(0, -random.length)}${random}`;
  reported.message = reported.message.replace(tried, () => reported.path as string);
  return error;
}

const parkedMkdtemp: Twin = (original, twin) =>
  through(original, twin, { args: firstOf(2), discard: removeLate, error: reportTemplate });

/** The asynchronous form's directory is removed by a promise: this one's by a call that parks. */
function parkedMkdtempDisposable(original: NodeFunction): NodeFunction {
  const make = through(original, fs.mkdtemp as NodeFunction, {
    args: firstOf(2),
    discard: removeLate,
    error: reportTemplate,
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

/** A size that is refused would be refused by the asynchronous form when nobody can catch it. */
function opendirArguments(args: unknown[]): unknown[] {
  const { bufferSize = 1 } = (args[1] ?? {}) as fs.OpenDirOptions;
  if (!Number.isInteger(bufferSize) || bufferSize < 1 || bufferSize > 0xffff_ffff) throw refusal;
  return firstOf(2)(args);
}

export const directoryTwins: Record<string, Twin> = {
  cp: parkedCopy,
  glob: (original, twin) => through(original, twin, { args: firstOf(2) }),
  mkdtemp: parkedMkdtemp,
  opendir: (original, twin) =>
    through(original, twin, {
      args: opendirArguments,
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
