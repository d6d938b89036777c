/** TypeScript as users of @types/fibers have written it: that it compiles is the test. */
import Fiber = require('@tendril/fibers');
import Future = require('@tendril/fibers/future');

function pause(ms: number): void {
  const fiber = Fiber.current;
  setTimeout(() => fiber?.run(), ms);
  Fiber.yield();
}

function start(): Fiber {
  const fiber: Fiber = Fiber(() => pause(1));
  const same: Fiber.Fiber = new Fiber((n: number) => n + 1);
  same.run(1);
  same.reset();
  fiber.throwInto(new Error());
  return fiber;
}

function answers(): unknown[] {
  const counter = Fiber((first: number) => {
    let total = first;
    for (;;) total += Fiber.yield(total);
  });
  const values: unknown[] = [counter.run(1), counter.run(2)];
  counter.reset();
  values.push(Fiber(() => Fiber.yield('yielded')).run());
  const future = new Future<string>();
  future.return('default');
  const { value }: { value: string } = { value: future.get() };
  return [...values, value];
}

function futures(): Future<number> {
  const promised = Future.fromPromise(Promise.resolve(1));
  const half: number = promised.wait() / 2;
  Future.wait([promised], new Future());
  const add = (n: number, callback: (error?: unknown, value?: number) => void) =>
    callback(undefined, half + n);
  const wrapped = Future.wrap({ add });
  const sum: Future<number> = wrapped.addFuture(1);
  sum.resolve((error, value) => (error ? 0 : value + 1));
  const task = Future.task(() => sum.wait());
  const doubled = ((n: number) => n * 2).future();
  const result: number = doubled(2).wait() + task.wait();
  Future.task(() => result).detach();
  return task;
}

export = { answers, futures, start };
