/**
 * Redis without await: node-redis, with blocking commands that can be killed and lose nothing.
 * @module
 */
export {};
