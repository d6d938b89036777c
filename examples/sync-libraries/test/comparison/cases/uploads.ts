/** Uploads to a server in the same process, whose handler goes on with synchronous calls. */
import { appendFileSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import multer from 'multer';
import { type Cases, hashOf, type Steps, settled } from '../case.js';

let server: http.Server;

interface Upload {
  body: { user: string };
  files: Express.Multer.File[];
}

/** What a request has brought is moved to where it belongs, and noted in the book of all. */
function take({ body, files }: Upload, shared: string): unknown {
  const { user } = body;
  const folder = path.join(shared, 'kept', user);
  mkdirSync(folder, { recursive: true });
  return files.map(({ fieldname, originalname, mimetype, path: file, size }) => {
    const bytes = readFileSync(file);
    renameSync(file, path.join(folder, originalname));
    appendFileSync(path.join(shared, 'book.log'), `user ${user}: ${originalname} ${size}\n`);
    return { fieldname, originalname, mimetype, size, hash: hashOf(bytes) };
  });
}

export const cases: Cases = {
  multer: {
    *prepare(shared) {
      const upload = multer({ dest: path.join(shared, 'incoming'), limits: { fileSize: 60_000 } });
      const parse = upload.array('files', 3);
      server = http.createServer((request, response) => {
        parse(request as never, response as never, (error: unknown) => {
          const answer = error
            ? { code: (error as NodeJS.ErrnoException).code, message: (error as Error).message }
            : take(request as unknown as Upload, shared);
          response.statusCode = error ? 400 : 200;
          response.end(JSON.stringify(answer));
        });
      });
      yield* settled(new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready)));
    },
    *user(user): Steps {
      const form = new FormData();
      form.set('user', String(user));
      // Every tenth has too much to say, every other tenth too many files.
      const size = user % 10 === 9 ? 70_000 : user * 1000;
      const count = user % 10 === 4 ? 4 : 2;
      for (let index = 0; index < count; index++)
        form.append('files', new Blob([`${index}`.repeat(size)]), `${index}.txt`);
      const { port } = server.address() as AddressInfo;
      const response = yield* settled(
        fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: form }),
      );
      return [response.status, yield* settled(response.json())];
    },
    *finish() {
      server.closeAllConnections();
      yield* settled(new Promise((closed) => server.close(closed)));
    },
  },
};
