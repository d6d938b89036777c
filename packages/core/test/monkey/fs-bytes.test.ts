/** What the functions of fs that read and write through descriptors do with good and bad arguments. */
import fs from 'node:fs';
import { patchFs } from '@tendril/core/monkey';
import { leaveNothing } from '../helpers.js';
import { type Row, testTable } from './table.js';

leaveNothing();

type Loose = (...args: unknown[]) => unknown;

const bytes = () => Buffer.alloc(8, '.');

/** With what is in the buffer afterwards. */
function reading(title: string, read: (fd: number, buffer: Buffer) => unknown): Row {
  return {
    title: `read: ${title}`,
    call(io) {
      const buffer = bytes();
      return [read(io.open('file.txt'), buffer), buffer];
    },
  };
}

const writing = (title: string, write: (fd: number) => unknown): Row => ({
  title: `write: ${title}`,
  call: (io) => write(io.open('file.txt', 'r+')),
});

const reads: Row[] = [
  reading('a buffer', (fd, buffer) => fs.readSync(fd, buffer)),
  reading('no options', (fd, buffer) => fs.readSync(fd, buffer, undefined)),
  reading('null for options', (fd, buffer) => fs.readSync(fd, buffer, null as never)),
  reading('options', (fd, buffer) =>
    fs.readSync(fd, buffer, { offset: 2, length: 3, position: 4 }),
  ),
  reading('offset', (fd, buffer) => fs.readSync(fd, buffer, 2 as never)),
  reading('offset and length', (fd, buffer) => fs.readSync(fd, buffer, 1, 4, undefined as never)),
  reading('four arguments', (fd, buffer) => (fs.readSync as unknown as Loose)(fd, buffer, 1, 4)),
  reading('five arguments', (fd, buffer) => fs.readSync(fd, buffer, 1, 4, 6)),
  reading('a position as a bigint', (fd, buffer) => fs.readSync(fd, buffer, 0, 4, 6n)),
  reading('a position of null', (fd, buffer) => fs.readSync(fd, buffer, 0, 4, null)),
  reading('nothing', (fd, buffer) => fs.readSync(fd, buffer, 0, 0, 0)),
  reading('at the end', (fd, buffer) => fs.readSync(fd, buffer, 0, 4, 1000)),
  reading('twice', (fd, buffer) => [
    fs.readSync(fd, buffer, 0, 2, null),
    fs.readSync(fd, buffer, 2, 2, null),
  ]),
  reading('too much', (fd, buffer) => fs.readSync(fd, buffer, 0, 9, 0)),
  reading('a negative offset', (fd, buffer) => fs.readSync(fd, buffer, -1, 1, 0)),
  reading('an offset beyond', (fd, buffer) => fs.readSync(fd, buffer, 9, 1, 0)),
  reading('a bad position', (fd, buffer) => fs.readSync(fd, buffer, 0, 1, 'x' as never)),
  reading('an empty buffer', (fd) => fs.readSync(fd, Buffer.alloc(0))),
  reading('no buffer', (fd) => fs.readSync(fd, 'text' as never)),
  reading('a closed descriptor', (_, buffer) => fs.readSync(9999, buffer)),
  reading('a bad descriptor', (_, buffer) => fs.readSync(-1, buffer)),
  reading('bad options', (fd, buffer) => fs.readSync(fd, buffer, { position: {} } as never)),
  reading('numbers of 16 bits', (fd) => {
    const numbers = new Uint16Array(4);
    return [fs.readSync(fd, numbers), numbers];
  }),
  {
    title: 'read: a directory',
    call: (io) => fs.readSync(io.open('dir'), bytes()),
  },
  {
    title: 'readv',
    call(io) {
      const buffers = [Buffer.alloc(3), new Uint8Array(4)];
      return [fs.readvSync(io.open('file.txt'), buffers), buffers];
    },
  },
  {
    title: 'readv at a position',
    call(io) {
      const buffers = [Buffer.alloc(3), Buffer.alloc(30)];
      return [fs.readvSync(io.open('file.txt'), buffers, 4), buffers];
    },
  },
  { title: 'readv: no buffers', call: (io) => fs.readvSync(io.open('file.txt'), 'x' as never) },
  { title: 'readv: closed', call: () => fs.readvSync(9999, [bytes()]) },
];
const writes: Row[] = [
  writing('a string', (fd) => fs.writeSync(fd, 'ÄB')),
  writing('a string at a position', (fd) => fs.writeSync(fd, 'AB', 4)),
  writing('a string in an encoding', (fd) => fs.writeSync(fd, 'c3a4', 2, 'hex')),
  writing('a string, position null', (fd) => fs.writeSync(fd, 'ä', null, 'latin1')),
  writing('an empty string', (fd) => fs.writeSync(fd, '')),
  writing('a buffer', (fd) => fs.writeSync(fd, bytes())),
  writing('a part of a buffer', (fd) => fs.writeSync(fd, Buffer.from('abcdef'), 2)),
  writing('a shorter part', (fd) => fs.writeSync(fd, Buffer.from('abcdef'), 2, 3)),
  writing('at a position', (fd) => fs.writeSync(fd, Buffer.from('abcdef'), 2, 3, 5)),
  writing('with options', (fd) => fs.writeSync(fd, Buffer.from('abc'), { position: 3 } as never)),
  writing('no options', (fd) => fs.writeSync(fd, Buffer.from('abc'), null as never)),
  writing('numbers', (fd) => fs.writeSync(fd, new Float64Array([1, 2]))),
  writing('twice', (fd) => [fs.writeSync(fd, 'a'), fs.writeSync(fd, Buffer.from('b'))]),
  writing('too much', (fd) => fs.writeSync(fd, bytes(), 0, 9)),
  writing('a negative length', (fd) => fs.writeSync(fd, bytes(), 0, -1)),
  writing('no text', (fd) => fs.writeSync(fd, 5 as never)),
  writing('an odd hex string', (fd) => fs.writeSync(fd, 'abc', 0, 'hex')),
  writing('a closed descriptor', () => fs.writeSync(9999, 'x')),
  { title: 'write: to a reader', call: (io) => fs.writeSync(io.open('file.txt'), 'x') },
  writing('writev', (fd) => fs.writevSync(fd, [Buffer.from('ab'), new Uint8Array([67])])),
  writing('writev at a position', (fd) => fs.writevSync(fd, [Buffer.from('ab')], 5)),
  writing('writev nothing', (fd) => fs.writevSync(fd, [])),
  writing('writev no buffers', (fd) => fs.writevSync(fd, ['x'] as never)),
];

testTable(
  {
    file: import.meta.url,
    patch: () => patchFs({ park: 'all' }),
    atOnce: /nothing|empty|hex|encoding/,
  },
  [...reads, ...writes],
);
