const assert = require('node:assert/strict');
// Before core, as programs do that know nothing of it.
const NodeFiber = require('fibers');
const Future = require('fibers/future');
const deasync = require('deasync');
const { joinall, run, sleep, spawn } = require('@tendril/core');
const testing = require('@tendril/core/testing');
const { Fiber, support } = require('@tendril/fiber');
const { WSGIServer } = require('@tendril/wsgi');

assert.equal(typeof WSGIServer, 'function');

assert.equal(support.supported, true, support.reason);
const fiber = new Fiber(() => Fiber.suspend('parked'));
assert.equal(fiber.resume(), 'parked');
assert.equal(fiber.resume('done'), 'done');

const doubled = NodeFiber((n) => NodeFiber.yield(n * 2));
assert.equal(doubled.run(21), 42);
assert.equal(doubled.run('end'), 'end');
assert.equal(require('fibers/fibers.js'), NodeFiber);
assert.equal(require('@tendril/fibers'), NodeFiber);
assert.equal(require('fibers/future.js'), Future);
assert.match(require('fibers/package.json').name, /fibers/);

const nap = (ms, value) => {
  sleep(ms);
  return value;
};
run(() => {
  const greenlets = [spawn(nap, 20, 'slow'), spawn(nap, 1, 'fast')];
  joinall(greenlets);
  deasync.sleep(1);
  const later = deasync((value, callback) => setImmediate(callback, null, value));
  const future = Future.wrap((value, callback) => setImmediate(callback, null, value))('future');
  return [...greenlets.map((greenlet) => greenlet.get()), later('called'), future.wait()];
}).then((values) => {
  assert.deepEqual(values, ['slow', 'fast', 'called', 'future']);
  assert.ok(Object.keys(testing).length > 0);
  console.log('commonjs: ok');
});
