/** What packs and hashes, partly in threads: archives, pictures, passwords. */
import assert from 'node:assert/strict';
import { createWriteStream, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { TarArchive, ZipArchive } from 'archiver';
import bcrypt from 'bcrypt';
import sharp from 'sharp';
import yazl from 'yazl';
import { attempt, type Cases, described, hashOf, type Steps, settled } from '../case.js';

const date = new Date('2020-02-02T02:02:02Z');

/** Files of a user, and one of all. */
function writeFiles(user: number, folder: string): string[] {
  for (let index = 0; index < 5; index++)
    writeFileSync(path.join(folder, `${index}.txt`), `${index} ${'text '.repeat(user * index)}`);
  return readdirSync(folder).sort();
}

/** The reason of a promise that is rejected. */
function* failure(promise: PromiseLike<unknown>): Steps {
  try {
    return yield* settled(promise);
  } catch (error) {
    return described(error);
  }
}

/**
 * Why sharp could not read a file. It looks that up among the last words of libvips, which all its threads share:
 * with others at work it may take the one reason for the other, in plain Node too.
 */
function* unread(promise: PromiseLike<unknown>): Steps {
  const reason = (yield* failure(promise)) as { message: string };
  assert.match(reason.message, /^Input file (is missing: .*|contains unsupported image format)$/);
  return { ...reason, message: 'Input file …' };
}

export const cases: Cases = {
  archiver: {
    *user(user, own, shared): Steps {
      const zip = new ZipArchive({ zlib: { level: 6 } });
      for (const name of writeFiles(user, own))
        zip.append(readFileSync(path.join(own, name)), { name, date, mode: 0o644 });
      const written = pipeline(zip, createWriteStream(path.join(shared, `${user}.zip`)));
      yield* settled(zip.finalize());
      yield* settled(written);
      const tar = new TarArchive({ gzip: true });
      tar.append(`user ${user}`, { name: 'user', date });
      const packed = buffer(tar);
      yield* settled(tar.finalize());
      return [zip.pointer(), hashOf(yield* settled(packed)), readdirSync(own)];
    },
  },

  yazl: {
    *user(user, own, shared): Steps {
      const zip = new yazl.ZipFile();
      for (const name of writeFiles(user, own)) {
        const content = readFileSync(path.join(own, name));
        zip.addBuffer(content, `buffers/${name}`, { mtime: date, mode: 0o100644 });
        zip.addFile(path.join(own, name), `files/${name}`, { mtime: date, mode: 0o100644 });
      }
      zip.end();
      const file = createWriteStream(path.join(shared, `${user}.zip`));
      yield* settled(pipeline(zip.outputStream, file));
      return hashOf(readFileSync(path.join(shared, `${user}.zip`)));
    },
  },

  sharp: {
    *prepare(shared) {
      const background = { r: 200, g: 100, b: 50 };
      const picture = sharp({ create: { width: 64, height: 48, channels: 3, background } });
      yield* settled(picture.png().toFile(path.join(shared, 'picture.png')));
    },
    *user(user, own, shared): Steps {
      const picture = readFileSync(path.join(shared, 'picture.png'));
      const small = sharp(picture)
        .resize(user + 1)
        .flip()
        .tint({ r: user * 5, g: 0, b: 0 });
      const bytes = yield* settled(small.png().toBuffer());
      writeFileSync(path.join(own, 'small.png'), bytes);
      const { width, height, size } = yield* settled(
        sharp(path.join(own, 'small.png'))
          .webp()
          .toFile(path.join(shared, `${user}.webp`)),
      );
      writeFileSync(path.join(own, 'bad.png'), `user ${user}`);
      return {
        written: [width, height, size],
        bad: yield* unread(sharp(path.join(own, 'bad.png')).metadata()),
        none: yield* unread(sharp(path.join(own, 'none.png')).toBuffer()),
      };
    },
  },

  bcrypt: {
    *user(user): Steps {
      const hash = bcrypt.hashSync(`password ${user}`, '$2b$04$abcdefghijklmnopqrstuu');
      const salted = bcrypt.hashSync(`password ${user}`, 4);
      const inThread = yield* settled(bcrypt.hash(`password ${user}`, hash.slice(0, 29)));
      return {
        hash,
        same: inThread === hash,
        right: bcrypt.compareSync(`password ${user}`, salted),
        wrong: yield* settled(bcrypt.compare(`password ${user + 1}`, salted)),
        rounds: bcrypt.getRounds(salted),
        bad: attempt(() => bcrypt.hashSync('password', 'no salt')),
      };
    },
  },
};
