// Ends with fibers that yield and one that is in a blocking call.
const { Event } = require('@tendril/core');
const Fiber = require('@tendril/fibers');
const fibers = [() => Fiber.yield(), () => new Event().wait()].map((fn) => Fiber(fn));
for (const fiber of fibers) fiber.run();
process.on('exit', () => console.log('started', fibers.map((fiber) => fiber.started).join()));
