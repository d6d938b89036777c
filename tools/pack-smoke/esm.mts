import { joinall, run, sleep, spawn } from '@tendril/core';
import type * as testing from '@tendril/core/testing';
import { Fiber, support } from '@tendril/fiber';

export type Testing = typeof testing;

const fiber = new Fiber(() => 42);
export const answer: unknown = fiber.resume();
export const engine: 'stack' | 'thread' | 'none' = support.engine;

const nap = (ms: number, value: string): string => {
  sleep(ms);
  return value;
};
const values: string[] = await run(() => {
  const greenlets = [spawn(nap, 20, 'slow'), spawn(nap, 1, 'fast')];
  joinall(greenlets);
  return greenlets.map((greenlet) => greenlet.get());
});
console.log(values);
