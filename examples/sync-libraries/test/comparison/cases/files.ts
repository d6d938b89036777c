/** Better file systems: what they do in several calls is one call to their users. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fse from 'fs-extra';
import gfs from 'graceful-fs';
import { sync as writeFileAtomicSync } from 'write-file-atomic';
import { attempt, type Cases, isSealed, type Steps, sealed, settled } from '../case.js';

export const cases: Cases = {
  'graceful-fs': {
    prepare(shared) {
      gfs.writeFileSync(path.join(shared, 'last.sealed'), sealed(0, 0));
    },
    *user(user, own, shared): Steps {
      const at = (name: string) => path.join(own, name);
      gfs.mkdirSync(at('a/b'), { recursive: true });
      gfs.writeFileSync(at('a/b/text'), `user ${user}`);
      gfs.appendFileSync(at('a/b/text'), ' more');
      gfs.renameSync(at('a/b/text'), at('a/moved'));
      gfs.copyFileSync(at('a/moved'), at('copy'));
      gfs.symlinkSync('copy', at('link'));
      gfs.appendFileSync(path.join(shared, 'all.log'), `user ${user} ${'.'.repeat(user * 100)}\n`);
      const last = path.join(shared, 'last.sealed');
      const whole = [10, 100_000, 1000].map((bytes) => {
        gfs.writeFileSync(last, sealed(user, (user * bytes) / 50));
        return isSealed(gfs.readFileSync(last, 'utf8'));
      });
      const queued = yield* settled(gfs.promises.readFile(at('copy'), 'utf8'));
      return {
        whole,
        queued,
        names: gfs.readdirSync(own),
        size: gfs.statSync(at('link')).size,
        real: gfs.realpathSync(at('link')),
        none: attempt(() => gfs.readFileSync(at('none'))),
        full: attempt(() => gfs.rmdirSync(at('a'))),
        twice: attempt(() => gfs.mkdirSync(at('a'))),
      };
    },
  },

  'fs-extra': {
    prepare(shared) {
      const at = (name: string) => path.join(shared, name);
      for (let index = 0; index < 8; index++) {
        fse.outputFileSync(at(`source/${index % 4}/${index}`), 'x'.repeat(index * 3000));
        fse.outputFileSync(at(`emptied/${index % 4}/${index}`), '');
        fse.outputFileSync(at(`removed/${index % 4}/${index}`), '');
      }
      fse.outputFileSync(at('last.sealed'), sealed(0, 0));
    },
    user(user, own, shared) {
      const at = (name: string) => path.join(own, name);
      const all = (name: string) => path.join(shared, name);
      fse.outputJsonSync(at('a/b/user.json'), { user, list: Array(user).fill(user) });
      fse.copySync(at('a'), at('copied'));
      fse.moveSync(at('copied'), at('moved'));
      fse.moveSync(at('moved/b/user.json'), all(`moved/${user}.json`));
      fse.ensureLinkSync(at('a/b/user.json'), at('links/hard'));
      return {
        // What all want to be there is made once, and nobody is told that it is there already.
        folder: attempt(() => void fse.ensureDirSync(all('one/two/three'))),
        file: attempt(() => fse.ensureFileSync(all('one/two/file'))),
        link: attempt(() => fse.ensureSymlinkSync(all('source'), all('links/source'))),
        hard: attempt(() => fse.ensureLinkSync(all('source/1/1'), all('links/1'))),
        copy: attempt(() => fse.copySync(all('source'), all('copy'))),
        output: attempt(() => fse.outputFileSync(all('last.sealed'), sealed(user, user * 4000))),
        whole: isSealed(readFileSync(all('last.sealed'), 'utf8')),
        emptied: attempt(() => fse.emptyDirSync(all('emptied'))),
        removed: attempt(() => fse.removeSync(all('removed'))),
        read: fse.readJsonSync(all(`moved/${user}.json`)),
        exists: fse.pathExistsSync(at('moved/b')),
        none: attempt(() => fse.copySync(at('none'), at('x'))),
        onto: attempt(() => fse.moveSync(at('a'), at('links'))),
        bad: attempt(() => {
          writeFileSync(at('bad.json'), '{');
          fse.readJsonSync(at('bad.json'));
        }),
      };
    },
  },

  'write-file-atomic': {
    user(user, own, shared) {
      const mine = path.join(own, 'state.json');
      const all = path.join(shared, 'state.sealed');
      writeFileAtomicSync(mine, JSON.stringify({ user, step: 1 }), { mode: 0o600 });
      writeFileAtomicSync(mine, JSON.stringify({ user, step: 2 }), { fsync: false });
      writeFileAtomicSync(all, sealed(user, user * 1000));
      return {
        whole: isSealed(readFileSync(all, 'utf8')),
        none: attempt(() => writeFileAtomicSync(path.join(own, 'none/x'), 'x'.repeat(user))),
        folder: attempt(() => writeFileAtomicSync(own, 'x')),
      };
    },
  },
};
