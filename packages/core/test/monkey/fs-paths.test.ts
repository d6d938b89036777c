/** What each function of fs does with good and bad paths. */
import type fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import { patchFs } from '@tendril/core/monkey';
import { leaveNothing } from '../helpers.js';
import { pathCalls } from './path-calls.js';
import { type Io, type Row, testTable } from './table.js';

leaveNothing();

const paths: Record<string, (io: Io) => unknown> = {
  'a file': (io) => io.path('file.txt'),
  'a directory': (io) => io.path('dir'),
  'a file as a Buffer': (io) => Buffer.from(io.path('file.txt')),
  'a file as a URL': (io) => pathToFileURL(io.path('file.txt')),
  'a link': (io) => io.path('link'),
  'a link to nothing': (io) => io.path('dangling'),
  'a link to itself': (io) => io.path('loop'),
  nothing: (io) => io.path('none'),
  'nothing in nothing': (io) => io.path('none', 'more'),
  'something in a file': (io) => io.path('file.txt', 'more'),
  'a name that is too long': (io) => io.path('x'.repeat(300)),
  'an empty path': () => '',
  'a path with a zero byte': () => 'nul\0byte',
  'no path': () => undefined,
  'an object': () => ({ path: 'file.txt' }),
  'a URL of http': () => new URL('http://localhost/file.txt'),
};

/** No path at all is no file that is there: exists() answers that without a look. */
const unlooked = /zero byte|no path|an object|http/;

const rows: Row[] = [];
for (const [name, call] of Object.entries(pathCalls))
  for (const [what, path] of Object.entries(paths))
    rows.push({
      title: `${name}: ${what}`,
      call: (io) => call(path(io) as fs.PathLike, io),
      ...(name === 'exists' && { parks: !unlooked.test(what) }),
      ...(name === 'open' && { view: (fd: number, io: Io) => typeof io.closing(fd) }),
    });

testTable(
  {
    file: import.meta.url,
    patch: () => patchFs({ park: 'all' }),
    atOnce: /^opendir|^readFile.*: a directory/,
  },
  rows,
);
