/** What makes, removes and searches whole trees, and what is only for a while. */
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { globSync, hasMagic } from 'glob';
import { mkdirpManualSync, mkdirpSync } from 'mkdirp';
import { rimrafSync } from 'rimraf';
import tmp from 'tmp';
import { attempt, type Cases } from '../case.js';

function makeTree(folder: string): void {
  for (let index = 0; index < 12; index++) {
    const at = path.join(folder, `${index % 2}`, `${index % 3}`);
    mkdirSync(at, { recursive: true });
    writeFileSync(path.join(at, `${index}.${index % 2 ? 'txt' : 'md'}`), '.'.repeat(index));
  }
}

export const cases: Cases = {
  mkdirp: {
    user(user, own, shared) {
      writeFileSync(path.join(own, 'file'), '');
      const deep = path.join(own, 'a/b/c', String(user));
      return {
        first: mkdirpSync(deep),
        again: mkdirpSync(deep) ?? 'was there',
        manual: mkdirpManualSync(path.join(own, 'm/n'), { mode: 0o700 }),
        // Which of them makes it is free.
        all: attempt(() => typeof mkdirpSync(path.join(shared, 'x/y/z', String(user)))),
        allManual: attempt(() => {
          mkdirpManualSync(path.join(shared, 'p/q/r/s'));
        }),
        below: attempt(() => mkdirpSync(path.join(own, 'file/below'))),
      };
    },
  },

  rimraf: {
    prepare(shared) {
      makeTree(path.join(shared, 'gone'));
      makeTree(path.join(shared, 'filtered'));
    },
    user(_user, own, shared) {
      makeTree(path.join(own, 'tree'));
      makeTree(path.join(own, 'kept'));
      return {
        own: rimrafSync(path.join(own, 'tree')),
        none: rimrafSync(path.join(own, 'none')),
        some: rimrafSync(path.join(own, 'kept/**/*.txt'), { glob: true }),
        all: attempt(() => rimrafSync(path.join(shared, 'gone'))),
        filtered: attempt(() =>
          rimrafSync(path.join(shared, 'filtered'), { filter: (file) => !file.endsWith('.md') }),
        ),
        gone: existsSync(path.join(shared, 'gone')),
      };
    },
  },

  glob: {
    prepare(shared) {
      makeTree(path.join(shared, 'tree'));
    },
    user(user, own, shared) {
      makeTree(path.join(own, `tree-${user}`));
      return {
        own: globSync('**/*.txt', { cwd: own }).sort(),
        all: globSync('tree/{0,1}/**', { cwd: shared, mark: true, ignore: '**/*.md' }).sort(),
        sizes: globSync('**', { cwd: shared, withFileTypes: true, nodir: true, stat: true })
          .map((file) => [file.relative(), file.size])
          .sort(),
        none: globSync('none/*', { cwd: own }),
        magic: hasMagic('a/*'),
      };
    },
  },

  tmp: {
    user(user, own, shared) {
      const folder = tmp.dirSync({ tmpdir: shared, prefix: `user${user}`, unsafeCleanup: true });
      const file = tmp.fileSync({ tmpdir: shared, postfix: '.txt' });
      const kept = tmp.fileSync({ tmpdir: own, name: 'kept', keep: true });
      const detached = tmp.fileSync({ tmpdir: own, name: 'detached', discardDescriptor: true });
      writeFileSync(file.fd, `user ${user}`);
      writeFileSync(path.join(folder.name, 'file'), '');
      const made = {
        folder: statSync(folder.name).mode,
        file: [statSync(file.name).mode, statSync(file.name).size, path.extname(file.name)],
        names: [kept.name, detached.name],
        free: existsSync(tmp.tmpNameSync({ tmpdir: shared })),
        taken: attempt(() => tmp.dirSync({ tmpdir: own, name: 'kept' })),
        outside: attempt(() => tmp.fileSync({ tmpdir: own, template: '../XXXXXX' })),
      };
      for (const one of [folder, file, detached]) one.removeCallback();
      return { ...made, after: [folder, file, detached].map(({ name }) => existsSync(name)) };
    },
  },
};
