const assert = require('node:assert/strict');
const { joinall, run, sleep, spawn } = require('@tendril/core');
const testing = require('@tendril/core/testing');
const { Fiber, support } = require('@tendril/fiber');
const { WSGIServer } = require('@tendril/wsgi');

assert.equal(typeof WSGIServer, 'function');

assert.equal(support.supported, true, support.reason);
const fiber = new Fiber(() => Fiber.suspend('parked'));
assert.equal(fiber.resume(), 'parked');
assert.equal(fiber.resume('done'), 'done');

const nap = (ms, value) => {
  sleep(ms);
  return value;
};
run(() => {
  const greenlets = [spawn(nap, 20, 'slow'), spawn(nap, 1, 'fast')];
  joinall(greenlets);
  return greenlets.map((greenlet) => greenlet.get());
}).then((values) => {
  assert.deepEqual(values, ['slow', 'fast']);
  assert.ok(Object.keys(testing).length > 0);
  console.log('commonjs: ok');
});
