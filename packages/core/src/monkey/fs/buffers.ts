/** Memory of calls that park: what goes out is copied when it is given, what comes in when its greenlet goes on. */

export interface Piece {
  readonly view: ArrayBufferView;
  readonly offset: number;
  readonly length: number;
  /** In the file; null for where it stands. */
  readonly position: number | bigint | null;
}

function isCount(value: unknown, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;
}

function toPosition(value: unknown): number | bigint | null | undefined {
  if (value === undefined || value === null || value === -1 || value === -1n) return null;
  const fits = typeof value === 'bigint' ? value >= 0n : isCount(value, Number.MAX_SAFE_INTEGER);
  return fits ? (value as number | bigint) : undefined;
}

/**
 * What `(buffer, offset, length, position)` or `(buffer, { … })` mean to readSync and writeSync; undefined for
 * everything else: that the original has to say something about.
 */
export function pieceOf(
  [view, second, third, fourth]: readonly unknown[],
  byOptions = typeof second === 'object',
): Piece | undefined {
  if (!ArrayBuffer.isView(view)) return undefined;
  if (byOptions && second !== undefined && typeof second !== 'object') return undefined;
  const given = byOptions
    ? ((second ?? {}) as Record<string, unknown>)
    : { offset: second, length: third, position: fourth };
  const { byteLength } = view;
  const { offset = 0, position: at } = given;
  if (!isCount(offset, byteLength)) return undefined;
  const { length = byteLength - offset } = given;
  const position = toPosition(at);
  if (!isCount(length, byteLength - offset) || position === undefined) return undefined;
  return { view, offset, length, position };
}

/** The bytes themselves, shared. */
export function bytesOf({ view, offset, length }: Piece): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + offset, length);
}

/** The bytes of a view, the caller's no more. */
export function copyOf(view: ArrayBufferView): Uint8Array {
  return Uint8Array.from(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
}

/** Of several, one after the other; undefined if they are not all buffers. */
export function viewsOf(value: unknown): Uint8Array[] | undefined {
  if (!Array.isArray(value) || !value.every((each) => ArrayBuffer.isView(each))) return undefined;
  return value.map((each) => new Uint8Array(each.buffer, each.byteOffset, each.byteLength));
}

export function sizeOf(views: readonly Uint8Array[]): number {
  return views.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** Deals out what has been read, as readv(2) does. */
export function scatter(from: Uint8Array, to: readonly Uint8Array[]): void {
  let at = 0;
  for (const view of to) {
    const part = from.subarray(at, at + view.byteLength);
    view.set(part);
    at += part.byteLength;
  }
}
