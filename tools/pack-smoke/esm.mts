import { joinall, run, sleep, spawn } from '@tendril/core';
import type * as testing from '@tendril/core/testing';
import deasync from '@tendril/deasync';
import { Fiber, support } from '@tendril/fiber';
import NodeFiber from '@tendril/fibers';
import Future from '@tendril/fibers/future';
import { type WebSocketHandler, websocketApp } from '@tendril/websocket';
import { type Application, WSGIServer } from '@tendril/wsgi';

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

export const doubled: number = NodeFiber((n: number) => n * 2).run(1);
export const future: string = Future.fromPromise(Promise.resolve('value')).wait();
deasync.sleep(1);

const hello: Application = (environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [environ.PATH_INFO];
};
const echo: WebSocketHandler = (socket) => {
  for (const message of socket) socket.send(message);
};
export const servers = [new WSGIServer(0, hello), new WSGIServer(0, websocketApp(echo))];
