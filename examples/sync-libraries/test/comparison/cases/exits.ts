/** What libraries do when the process goes away: each of these ends it, and needs one of its own. */
import { appendFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pino from 'pino';
import { lockSync } from 'proper-lockfile';
import tmp from 'tmp';
import { type Cases, settled } from '../case.js';

let log: pino.Logger;
let late: pino.Logger;

/** Leaves a note of the exit, and ends the process: nothing runs after that. */
function exit(shared: string, code: number): never {
  const note = (text: string) => appendFileSync(path.join(shared, 'exit.log'), `${text}\n`);
  process.on('exit', (status) => {
    note(`exit ${status}`);
    note('and its end');
  });
  setImmediate(() => note('an immediate'));
  queueMicrotask(() => note('a microtask'));
  process.exit(code);
}

export const cases: Cases = {
  pino: {
    *prepare(shared) {
      log = pino(pino.destination({ dest: path.join(shared, 'pino.log'), sync: true }));
      // It keeps all lines to itself, and writes them when the process exits.
      const dest = path.join(shared, 'late.log');
      const kept = pino.destination({ dest, sync: false, minLength: 16_000 });
      late = pino(kept);
      yield* settled(new Promise((ready) => kept.once('ready', ready)));
    },
    user(user, _own, shared) {
      for (const line of ['first', 'second']) {
        log.info({ user }, line);
        late.info({ user }, line);
      }
      // What the others were told is written is written; there is no other line between these.
      if (user < 49) return;
      log.fatal({ user }, 'fatal');
      log.info({ user }, 'last');
      exit(shared, 3);
    },
  },

  tmp: {
    prepare: () => tmp.setGracefulCleanup(),
    user(user, own, shared) {
      const folder = tmp.dirSync({ tmpdir: shared, unsafeCleanup: true });
      writeFileSync(path.join(folder.name, 'file'), `user ${user}`);
      tmp.fileSync({ tmpdir: own });
      tmp.fileSync({ tmpdir: own, name: 'kept', keep: true });
    },
    finish: (shared) => exit(shared, 0),
  },

  'proper-lockfile': {
    user(user, own) {
      writeFileSync(path.join(own, 'file'), `user ${user}`);
      lockSync(path.join(own, 'file'));
    },
    finish: (shared) => exit(shared, 4),
  },
};
