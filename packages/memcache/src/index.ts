/**
 * memcached without await: memjs, with its timeouts and failovers mended.
 * @module
 */
export {};
