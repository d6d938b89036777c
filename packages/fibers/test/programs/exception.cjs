// An error thrown after a wait leaves the fiber for the event loop, and the process goes on.
const Fiber = require('@tendril/fibers');
const Future = require('@tendril/fibers/future');

const tick = Future.wrap((callback) => process.nextTick(callback));
let caught = false;
let thrown = false;
process.on('uncaughtException', (error) => {
  if (error.message !== 'expected') throw error;
  caught = true;
});
Fiber(() => {
  tick().wait();
  thrown = true;
  throw new Error('expected');
}).run();
Fiber(() => {
  while (!thrown) tick().wait();
  setImmediate(() => console.log(caught ? 'caught' : 'lost'));
}).run();
