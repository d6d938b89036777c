const Fiber = require('@tendril/fibers');
Fiber(() => {
  Fiber.yield();
}).run();
setImmediate(() => {
  Fiber(() => process.exit(7)).run();
  console.log('still here');
});
