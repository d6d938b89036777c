/**
 * ZeroMQ without await: zeromq.js, with sends and receives that queue in order.
 * @module
 */
export {};
