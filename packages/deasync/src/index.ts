/**
 * deasync without nested event loops, for `import`; index.cts is for `require`, where the module is the
 * function itself.
 * @module
 */
export { type Deasync, deasync as default } from './deasync.js';
