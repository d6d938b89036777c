// For programs of tests that shall run out of file descriptors: the limit comes when the program is loaded, since
// Node reads as many modules at once as it finds, and needs more of them for that than the test leaves it.

import { execFileSync } from 'node:child_process';

/**
 * From now on this process, and what it starts, may have so many. There is no going back.
 *
 * @param {number} count
 */
export function fewDescriptors(count) {
  execFileSync('prlimit', ['--pid', `${process.pid}`, `--nofile=${count}`]);
}
