const Fiber = require('@tendril/fibers');
const fiber = Fiber(() => Fiber.yield());
fiber.run();
fiber.run();
