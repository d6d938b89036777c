/** zlib: everything that packs or unpacks in one call. What has begun runs to its end in its thread. */
import zlib from 'node:zlib';
import { firstOf, refusal, replaceParking, through } from './parking.js';
import type { NodeFunction } from './registry.js';

const names = [
  'brotliCompress',
  'brotliDecompress',
  'deflate',
  'deflateRaw',
  'gunzip',
  'gzip',
  'inflate',
  'inflateRaw',
  'unzip',
  'zstdCompress',
  'zstdDecompress',
];

/** What is no data would be refused by the stream underneath, or taken for the end of the data. */
function takeData(args: unknown[]): unknown[] {
  const [data] = args;
  const fits =
    typeof data === 'string' ||
    ArrayBuffer.isView(data) ||
    data instanceof ArrayBuffer ||
    data instanceof SharedArrayBuffer;
  if (!fits) throw refusal;
  return firstOf(2)(args);
}

/** The synchronous form has all data at once, and so writes its size into the head of a zstd frame. */
function takeSized(args: unknown[]): unknown[] {
  const [data, options] = takeData(args) as [NodeJS.ArrayBufferView, object?];
  const pledgedSrcSize = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
  if (options !== undefined && (typeof options !== 'object' || options === null)) throw refusal;
  return [data, { pledgedSrcSize, ...options }];
}

export function installZlib(): void {
  const twins = zlib as unknown as Record<string, NodeFunction>;
  for (const name of names) {
    const twin = twins[name];
    if (twin)
      replaceParking('zlib', `${name}Sync`, (original) =>
        through(original, twin, { args: name === 'zstdCompress' ? takeSized : takeData }),
      );
  }
}
