/** Loggers: one log of all users, and one of each user's own. */
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { format } from 'node:util';
import createDebug from 'debug';
import pino from 'pino';
import winston from 'winston';
import { type Cases, settled } from '../case.js';

let shared: pino.Logger;
let flushed: pino.Logger;
let app: winston.Logger;
let debug: createDebug.Debugger;

const base = { base: { app: 'shop' } };

function finished(logger: winston.Logger): Promise<unknown> {
  const files = logger.transports.map((file) => new Promise((done) => file.once('finish', done)));
  logger.end();
  return Promise.all(files);
}

export const cases: Cases = {
  pino: {
    *prepare(folder) {
      shared = pino(base, pino.destination({ dest: path.join(folder, 'sync.log'), sync: true }));
      const buffered = pino.destination({ dest: path.join(folder, 'async.log'), sync: false });
      flushed = pino(base, buffered);
      yield* settled(new Promise((ready) => buffered.once('ready', ready)));
    },
    *user(user, own) {
      const log = shared.child({ user });
      log.info('first');
      log.warn({ items: Array(user).fill('item') }, 'second');
      log.error(new TypeError('third').message);
      if (user % 10 === 3) log.fatal('fourth');
      pino().info({ user }, 'on stdout');

      flushed.info({ user }, 'kept');
      flushed.flush();

      const dest = path.join(own, 'deep/own.log');
      const destination = pino.destination({ dest, mkdir: true, sync: true });
      const mine = pino(base, destination);
      for (let line = 0; line < 5; line++) mine.info({ user, line }, 'own');
      destination.end();
      yield* settled(new Promise((closed) => destination.once('close', closed)));
      return log.isLevelEnabled('debug');
    },
    *finish() {
      yield* settled(new Promise((done) => flushed.flush(done)));
    },
  },

  winston: {
    prepare(folder) {
      const { File } = winston.transports;
      app = winston.createLogger({
        format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
        transports: [
          new File({ filename: path.join(folder, 'logs/app.log') }),
          new File({ filename: path.join(folder, 'logs/errors.log'), level: 'error' }),
        ],
      });
    },
    *user(user, own) {
      const log = app.child({ user });
      log.info('first');
      log.warn('second', { items: Array(user).fill('item') });
      log.error('third');
      log.debug('unheard');

      const file = new winston.transports.File({ filename: path.join(own, 'own.log') });
      const mine = winston.createLogger({ transports: [file] });
      for (let line = 0; line < 5; line++) mine.info('own', { user, line });
      yield* settled(finished(mine));
    },
    *finish() {
      yield* settled(finished(app));
    },
  },

  debug: {
    prepare(folder) {
      createDebug.enable('shop:*,-shop:quiet');
      debug = createDebug('shop:all');
      debug.log = (...args: unknown[]) =>
        appendFileSync(path.join(folder, 'debug.log'), `${format(...args)}\n`);
    },
    user(user, own) {
      debug('user %d first %j', user, { items: user });
      debug('user %d second %O', user, ['a', 'b']);
      createDebug('shop:stderr')('user %d on stderr', user);
      const mine = createDebug(`shop:own${user}`);
      mine.log = (...args: unknown[]) =>
        appendFileSync(path.join(own, 'own.log'), `${format(...args)}\n`);
      for (let line = 0; line < 5; line++) mine('user %d line %d', user, line);
      return [mine.enabled, createDebug('shop:quiet').enabled];
    },
  },
};
