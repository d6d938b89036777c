/** What packs and unpacks, with good and bad arguments. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import zlib from 'node:zlib';
import { isPatched, patchZlib, restore } from '@tendril/core/monkey';
import { leaveNothing } from '../helpers.js';
import { type Row, testTable } from './table.js';

leaveNothing();

type Pack = (data: unknown, options?: object) => Buffer;
const functions = zlib as unknown as Record<string, Pack>;
const call: (name: string) => Pack = (name) => (data, options) =>
  (functions[`${name}Sync`] as Pack)(data, options);

const pairs = [
  ['gzip', 'gunzip'],
  ['gzip', 'unzip'],
  ['deflate', 'inflate'],
  ['deflate', 'unzip'],
  ['deflateRaw', 'inflateRaw'],
  ['brotliCompress', 'brotliDecompress'],
  ['zstdCompress', 'zstdDecompress'],
] as const;
const has = (name: string) => `${name}Sync` in zlib;

const text = 'the same words, the same words, '.repeat(3000);
const random = Buffer.from(Array.from({ length: 50_000 }, (_, at) => (at * at * 31) % 251));

/** With what an engine says about itself, and not its insides. */
interface Packed {
  buffer: Buffer;
  engine: { bytesWritten: number; constructor: { name: string } };
}
const viewPacked = ({ buffer, engine, ...rest }: Packed) => [
  buffer,
  engine.constructor.name,
  engine.bytesWritten,
  rest,
];

const rows: Row[] = [];
for (const [pack, unpack] of pairs) {
  const when = has(pack);
  const add = (title: string, made: (packed: () => Buffer) => unknown, more: object = {}) =>
    rows.push({
      title: `${pack}, ${unpack}: ${title}`,
      call: () => made(() => call(pack)(text)),
      when,
      ...more,
    });
  add('there and back', (packed) => [packed(), call(unpack)(packed())]);
  add('much data', () => {
    const packed = call(pack)(random);
    return [packed, call(unpack)(packed)];
  });
  add('no data', () => call(unpack)(call(pack)('')));
  add('numbers', () => call(unpack)(call(pack)(new Float64Array([1, 2, 3]))));
  add('an ArrayBuffer', () => call(unpack)(call(pack)(new Uint8Array([1, 2]).buffer)));
  add('data that ends early', (packed) => call(unpack)(packed().subarray(0, 12)), { parks: true });
  add('no packed data', () => call(unpack)('this was never packed at all'));
  add('nothing to unpack', () => call(unpack)(Buffer.alloc(0)));
  add('more after the end', (packed) => call(unpack)(Buffer.concat([packed(), Buffer.from('no')])));
  add('too much comes out', (packed) => call(unpack)(packed(), { maxOutputLength: 100 }), {
    parks: true,
  });
  add('a small chunk', (packed) => call(unpack)(packed(), { chunkSize: 64 }));
  add('info', () => call(pack)(text, { info: true }), { view: viewPacked });
  add('undefined', () => call(pack)(undefined));
  add('null', () => call(unpack)(null));
  add('a number', () => call(pack)(5));
  add('an object', () => call(unpack)({}));
  add('options of text', () => call(pack)(text, 'best' as never), { parks: 'either' });
  add('a bad size of chunks', () => call(pack)(text, { chunkSize: 1 }));
  add('a bad flush', () => call(pack)(text, { finishFlush: 99 }));
}

const dictionary = Buffer.from('the same words');
rows.push(
  { title: 'gzip: a level', call: () => zlib.gzipSync(text, { level: 9, memLevel: 9 }) },
  { title: 'gzip: a bad level', call: () => zlib.gzipSync(text, { level: 99 }) },
  { title: 'deflate: bits', call: () => zlib.deflateSync(text, { windowBits: 9, strategy: 3 }) },
  { title: 'deflate: a dictionary', call: () => zlib.deflateSync(text, { dictionary }) },
  {
    title: 'inflate: a dictionary',
    call: () => zlib.inflateSync(zlib.deflateSync(text, { dictionary }), { dictionary }),
  },
  {
    title: 'inflate: without its dictionary',
    call: () => zlib.inflateSync(zlib.deflateSync(text, { dictionary })),
  },
  {
    title: 'inflate: another dictionary',
    call: () =>
      zlib.inflateSync(zlib.deflateSync(text, { dictionary }), { dictionary: Buffer.from('no') }),
  },
  {
    title: 'deflate: a bad dictionary',
    call: () => zlib.deflateSync(text, { dictionary: 5 as never }),
  },
  {
    title: 'gunzip: what has come so far',
    call: () =>
      zlib.gunzipSync(zlib.gzipSync(text).subarray(0, 30), {
        finishFlush: zlib.constants.Z_SYNC_FLUSH,
      }),
  },
  {
    title: 'gunzip: two members',
    call: () => zlib.gunzipSync(Buffer.concat([zlib.gzipSync('one'), zlib.gzipSync('two')])),
  },
  {
    title: 'gunzip: a wrong sum',
    call() {
      const packed = zlib.gzipSync(text);
      packed.writeUInt32LE(1, packed.length - 8);
      return zlib.gunzipSync(packed);
    },
  },
  {
    title: 'brotli: parameters',
    call: () =>
      zlib.brotliCompressSync(text, {
        params: {
          [zlib.constants.BROTLI_PARAM_QUALITY]: 2,
          [zlib.constants.BROTLI_PARAM_LGWIN]: 12,
        },
      }),
  },
  {
    title: 'brotli: a bad parameter',
    call: () => zlib.brotliCompressSync(text, { params: { 99: 1 } }),
  },
  {
    title: 'gzip: as map calls it',
    call: () => ['a'].map(zlib.gzipSync as never),
    parks: 'either',
  },
);

testTable(
  {
    file: import.meta.url,
    patch: patchZlib,
    atOnce: /no data|nothing to unpack|numbers|an ArrayBuffer|two members/,
  },
  rows,
);

/** Functions of zlib that are left alone. */
const leftAlone: Record<string, string> = {
  createZipArchiveSync: 'experimental, and without a form that takes a callback',
};

test('patchZlib patches every function that ends in Sync', () => {
  patchZlib();
  try {
    for (const name of Object.keys(zlib))
      if (name.endsWith('Sync')) assert.equal(isPatched('zlib', name), !(name in leftAlone), name);
    assert.ok(!isPatched('zlib', 'crc32'));
  } finally {
    restore();
  }
});
