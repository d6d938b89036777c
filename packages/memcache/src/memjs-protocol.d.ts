// Not in @types/memjs.
declare module 'memjs/lib/memjs/protocol.js' {
  /** What each status of a reply means. */
  export const errors: Record<number, string>;
}
