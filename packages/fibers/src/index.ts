/**
 * node-fibers' Fiber, for `import`; index.cts is for `require`, where the module is the class itself.
 * @module
 */
export { Fiber as default } from './fiber.js';
export type { Fiber, FiberConstructor } from './types.js';
