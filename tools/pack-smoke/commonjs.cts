import core = require('@tendril/core');
import fibers = require('@tendril/fiber');

const fiber = new fibers.Fiber(() => 42);
const answer: unknown = fiber.resume();
const engine: 'stack' | 'thread' | 'none' = fibers.support.engine;

const nap = (ms: number, value: string): string => {
  core.sleep(ms);
  return value;
};
const values: Promise<string[]> = core.run(() => {
  const greenlets = [core.spawn(nap, 20, 'slow'), core.spawn(nap, 1, 'fast')];
  core.joinall(greenlets);
  return greenlets.map((greenlet) => greenlet.get());
});

export = { answer, engine, values };
