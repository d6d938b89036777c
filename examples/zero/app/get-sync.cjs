'use strict';
/**
 * A synchronous GET, as libraries for that make it: a thread fetches, and the caller sleeps on shared
 * memory until the answer is there.
 */
const path = require('node:path');
const { Worker } = require('node:worker_threads');

/** Bytes of an answer, at most. */
const room = 4096;
let fetcher;

function getSync(url) {
  if (!fetcher) {
    fetcher = new Worker(path.join(__dirname, 'fetcher.cjs'));
    fetcher.unref();
  }
  const memory = new SharedArrayBuffer(8 + room);
  const [state, length] = [new Int32Array(memory, 0, 1), new Int32Array(memory, 4, 1)];
  fetcher.postMessage({ url, memory });
  Atomics.wait(state, 0, 0);
  const body = Buffer.from(memory, 8, length[0]).toString();
  if (state[0] !== 1) throw new Error(`${url}: ${body}`);
  return body;
}

module.exports = { getSync };
