/** zlib: everything that packs or unpacks in one call. What has begun runs to its end in its thread. */
import zlib from 'node:zlib';
import { firstOf, refusal, replaceInGreenlets, through } from './parking.js';
import { mayPark } from './reentry/index.js';
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

/**
 * Bytes: to pack or unpack fewer takes about as long as to ask another thread for it, and old code believes
 * itself alone meanwhile.
 */
const worth = 16_384;

function isData(data: unknown): data is string | ArrayBufferView | ArrayBuffer | SharedArrayBuffer {
  return (
    typeof data === 'string' ||
    ArrayBuffer.isView(data) ||
    data instanceof ArrayBuffer ||
    data instanceof SharedArrayBuffer
  );
}

function sizeOf(data: unknown): number {
  if (typeof data === 'string') return data.length;
  return (data as { byteLength?: number } | null | undefined)?.byteLength ?? 0;
}

/**
 * A copy, for the caller may use his buffer for something else as soon as others run. What is no data would
 * be refused by the stream underneath, or taken for the end of the data.
 */
function takeData(args: unknown[]): unknown[] {
  const [data] = args;
  if (!isData(data)) throw refusal;
  const [, ...rest] = firstOf(2)(args);
  return [copyOf(data), ...rest];
}

function copyOf(data: string | ArrayBufferView | ArrayBuffer | SharedArrayBuffer): unknown {
  if (typeof data === 'string') return data;
  const { buffer, byteOffset, byteLength } = ArrayBuffer.isView(data)
    ? data
    : { buffer: data, byteOffset: 0, byteLength: data.byteLength };
  return Buffer.from(new Uint8Array(buffer, byteOffset, byteLength));
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
      replaceInGreenlets('zlib', `${name}Sync`, (original) => {
        const args = name === 'zstdCompress' ? takeSized : takeData;
        const parked = through(original, twin, { args });
        return function (this: unknown, ...given: unknown[]): unknown {
          const parks = sizeOf(given[0]) >= worth && mayPark();
          return Reflect.apply(parks ? parked : original, this, given);
        };
      });
  }
}
