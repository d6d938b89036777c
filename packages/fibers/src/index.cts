/** `require('@tendril/fibers')` is the class itself. */
import lib = require('./fiber.js');
import type types = require('./types.js');

const Fiber = lib.Fiber;
type Fiber = types.Fiber;
declare namespace Fiber {
  type Fiber = types.Fiber;
  type FiberConstructor = types.FiberConstructor;
}

export = Fiber;
