import assert from 'node:assert/strict';
import { joinall, run, sleep, spawn } from '@tendril/core';
import * as testing from '@tendril/core/testing';
import { Fiber, support } from '@tendril/fiber';

assert.equal(support.supported, true, support.reason);
const fiber = new Fiber(() => Fiber.suspend('parked'));
assert.equal(fiber.resume(), 'parked');
assert.equal(fiber.resume('done'), 'done');

const nap = (ms, value) => {
  sleep(ms);
  return value;
};
const values = await run(() => {
  const greenlets = [spawn(nap, 20, 'slow'), spawn(nap, 1, 'fast')];
  joinall(greenlets);
  return greenlets.map((greenlet) => greenlet.get());
});
assert.deepEqual(values, ['slow', 'fast']);
assert.ok(Object.keys(testing).length > 0);
console.log('esm: ok');
