/** Stores in a JSON file, and the lock in front of one: nobody's change is lost. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Conf from 'conf';
import Database from 'libsql';
import { LowSync } from 'lowdb';
import { JSONFileSync } from 'lowdb/node';
import { checkSync, lockSync, unlockSync } from 'proper-lockfile';
import { attempt, type Cases, type Steps, settled } from '../case.js';

type Counts = Record<string, number>;

let config: Conf<Counts>;
let low: LowSync<Counts>;
let database: Database.Database;

/** The shared lock, for which a user waits where others do something at the same time. */
function* locked(file: string): Generator<PromiseLike<unknown>, () => void, unknown> {
  for (;;) {
    try {
      return lockSync(file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
      yield* settled(pause(1));
    }
  }
}

export const cases: Cases = {
  conf: {
    prepare(shared) {
      config = new Conf<Counts>({ cwd: shared });
    },
    user(user, own, shared) {
      config.set(`user${user}`, user);
      // Another module of the program opens the same file for itself.
      const other = new Conf<Counts>({ cwd: shared });
      other.set({ [`other${user}`]: user, [`gone${user}`]: user });
      other.delete(`gone${user}`);
      const mine = new Conf<Counts>({ cwd: own, defaults: { zero: 0 }, configName: 'mine' });
      mine.set('one', user);
      mine.set('deep.er', user);
      const before = mine.store;
      mine.clear();
      return {
        before,
        after: mine.store,
        size: mine.size,
        seen: [config.get(`user${user}`), config.get(`other${user}`), config.has(`gone${user}`)],
        bad: attempt(() => mine.set('function', (() => {}) as never)),
      };
    },
  },

  lowdb: {
    prepare(shared) {
      low = new LowSync<Counts>(new JSONFileSync(path.join(shared, 'db.json')), {});
    },
    user(user, own) {
      const mine = new LowSync<Counts>(new JSONFileSync(path.join(own, 'db.json')), {});
      mine.read();
      for (let time = 0; time < 3; time++)
        mine.update((data) => {
          data.times = (data.times ?? 0) + 1;
        });
      const added = attempt(() =>
        low.update((data) => {
          data[`user${user}`] = user;
        }),
      );
      const seen = new LowSync<Counts>(new JSONFileSync(path.join(own, 'db.json')), {});
      seen.read();
      return { added, seen: seen.data };
    },
  },

  'proper-lockfile': {
    prepare(shared) {
      writeFileSync(path.join(shared, 'count'), '0');
    },
    *user(user, own, shared): Steps {
      const mine = path.join(own, 'mine');
      const all = path.join(shared, 'count');
      writeFileSync(mine, '');
      const none = attempt(() => lockSync(path.join(own, 'none')));
      const release = lockSync(mine);
      const twice = attempt(() => lockSync(mine));
      const held = checkSync(mine);
      release();
      const notHeld = attempt(() => unlockSync(mine));

      const unlock = yield* locked(all);
      const count = Number(readFileSync(all, 'utf8'));
      writeFileSync(all, String(count + 1));
      unlock();
      return { none, twice, held, notHeld, after: checkSync(mine), user };
    },
  },

  libsql: {
    prepare(shared) {
      database = new Database(path.join(shared, 'all.db'));
      database.exec('CREATE TABLE items (user INTEGER, text TEXT, UNIQUE (user, text))');
      writeFileSync(path.join(shared, 'text'), 'from a file');
    },
    user(user, own, shared) {
      const insert = database.prepare('INSERT INTO items VALUES (?, ?)');
      // The library begins and commits around it, on the one connection that all have.
      const transaction = database.transaction((fails: boolean) => {
        insert.run(user, `${fails} ${readFileSync(path.join(shared, 'text'), 'utf8')}`);
        if (fails) throw new RangeError('taken back');
      });
      transaction(false);
      const takenBack = attempt(() => transaction(true));
      const twice = attempt(() => transaction(false));

      const mine = new Database(path.join(own, 'mine.db'));
      mine.exec('CREATE TABLE t (n INTEGER)');
      const add = mine.prepare('INSERT INTO t VALUES (?)');
      for (let n = 0; n < 5; n++) add.run(n * user);
      const { sum } = mine.prepare('SELECT sum(n) AS sum FROM t').get() as { sum: number };
      mine.close();
      return { takenBack, twice, sum, bad: attempt(() => database.prepare('SELECT nothing')) };
    },
    finish(shared) {
      const rows = database.prepare('SELECT * FROM items ORDER BY user, text').all();
      database.close();
      // Which bytes are where in it depends on the order of the users.
      rmSync(path.join(shared, 'all.db'));
      return rows;
    },
  },
};
