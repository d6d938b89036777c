import core = require('@tendril/core');
import fibers = require('@tendril/fiber');
import deasync = require('deasync');
import NodeFiber = require('fibers');
import Future = require('fibers/future');

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

const doubled: NodeFiber = NodeFiber((n: number) => NodeFiber.yield(n * 2));
const four: number = doubled.run(2);
const future: Future<string> = Future.task(() => 'value');
const text: string = ((n: number) => `${n}`).future()(1).wait();
const called: number = deasync((callback: (error: unknown, n: number) => void) => callback(0, 1))();
deasync.loopWhile(() => false);

export = { answer, called, engine, four, future, text, values };
