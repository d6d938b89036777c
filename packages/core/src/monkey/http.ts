/**
 * http: what listens to a server's requests runs in greenlets, one for each event, so that handlers
 * park where they would block.
 *
 * A request's own events are part of that: a body parser reads the body by listening, and calls the
 * handler when it has heard the end. A greenlet starts on the next turn of the hub. What a request
 * has to say before its handler had a chance to listen comes after that.
 */
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import { getCurrent, spawn } from '../index.js';
import { type NodeFunction, replace } from './registry.js';
import { uncaught } from './uncaught.js';

interface Emitter {
  listenerCount(event: unknown): number;
}

const ofServers = new Set<unknown>([
  'request',
  'checkContinue',
  'checkExpectation',
  'connect',
  'upgrade',
]);
/** These hand over the connection itself. */
const takeovers = new Set<unknown>(['connect', 'upgrade']);
const ofRequests = new Set<unknown>(['end', 'error', 'close', 'aborted']);
const ofResponses = new Set<unknown>(['close']);

/** Requests and responses whose handler is about to start. */
const starting = new WeakSet<object>();

function runInGreenlet(body: () => void): void {
  spawn(() => {
    try {
      body();
    } catch (error) {
      uncaught(error);
    }
  });
}

/** Lets no connection that goes down in between crash the process: nobody listens to it yet. */
function hold(socket: Duplex): () => void {
  const ignore = () => {};
  socket.on('error', ignore);
  return () => socket.off('error', ignore);
}

function ofServer(emit: NodeFunction): NodeFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    const [event, first, second] = args;
    if (!ofServers.has(event) || getCurrent() || !(this as Emitter).listenerCount(event))
      return Reflect.apply(emit, this, args);
    const parties = takeovers.has(event) ? [first] : [first, second];
    for (const party of parties) starting.add(party as object);
    const release = takeovers.has(event) ? hold(second as Duplex) : undefined;
    runInGreenlet(() => {
      for (const party of parties) starting.delete(party as object);
      release?.();
      Reflect.apply(emit, this, args);
    });
    return true;
  };
}

/** `events` of what a server hands to its handlers. */
function ofParty(events: Set<unknown>): (emit: NodeFunction) => NodeFunction {
  const isRequest = events === ofRequests;
  return (emit) =>
    function (this: unknown, ...args: unknown[]): unknown {
      const [event] = args;
      if (!events.has(event) || getCurrent()) return Reflect.apply(emit, this, args);
      const emitter = this as Emitter & { method?: unknown };
      // The answers that a client gets are of the same class, and have no method.
      const heard = isRequest && emitter.method && emitter.listenerCount(event) > 0;
      if (!heard && !starting.has(emitter)) return Reflect.apply(emit, this, args);
      runInGreenlet(() => {
        // An error that a listener has been told of by now, or wanted no more, is not news.
        if (event !== 'error' || emitter.listenerCount(event) > 0) Reflect.apply(emit, this, args);
      });
      return true;
    };
}

/** `emit` is inherited: it is replaced where servers, requests and responses would have their own. */
function replaceEmit(
  module: string,
  { name, prototype }: { name: string; prototype: unknown },
  make: (emit: NodeFunction) => NodeFunction,
): void {
  replace(module, `${name}.prototype.emit`, make, [prototype as object, 'emit']);
}

export function installHttp(): void {
  replaceEmit('http', http.Server, ofServer);
  replaceEmit('https', https.Server, ofServer);
  // These classes are not exported, and a server that does not listen is of no weight, if it does not read all
  // the authorities that Node knows: on Node 20 that takes as long as the rest of patchAll.
  for (const server of [http2.createServer(), http2.createSecureServer({ ca: [] })])
    replaceEmit('http2', server.constructor as typeof http.Server, ofServer);
  replaceEmit('http', http.IncomingMessage, ofParty(ofRequests));
  replaceEmit('http', http.ServerResponse, ofParty(ofResponses));
  replaceEmit('http2', http2.Http2ServerRequest, ofParty(ofRequests));
  replaceEmit('http2', http2.Http2ServerResponse, ofParty(ofResponses));
}
