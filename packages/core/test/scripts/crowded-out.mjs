// More greenlets than there are stacks for. Prints what became of them, as JSON.
import { Event, run, sleep, spawn } from '@tendril/core';

const crowd = Number(process.argv[2]);
let started = 0;

/** @param {import('@tendril/core').Greenlet} greenlet */
function outcome(greenlet) {
  try {
    return greenlet.get();
  } catch (error) {
    return error.code;
  }
}

/** @param {string[]} outcomes */
function count(outcomes) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const each of outcomes) counts[each] = (counts[each] ?? 0) + 1;
  return counts;
}

const result = await run(() => {
  const go = new Event();
  const stay = () => {
    started++;
    go.wait();
    sleep(1);
    return 'done';
  };
  const all = Array.from({ length: crowd }, () => spawn(stay));
  sleep(1);
  go.set();
  const result = { of: count(all.map(outcome)), started };
  const later = Array.from({ length: 100 }, () => spawn(stay));
  return { ...result, later: count(later.map(outcome)) };
});
console.log(JSON.stringify(result));
