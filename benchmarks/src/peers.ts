/** The peers that run in Node. Each does the idiomatic thing for the same job. */
import { Worker } from 'node:worker_threads';
import { Effect, Fiber as EffectFiber, Queue as EffectQueue } from 'effect';
import {
  call,
  run as effection,
  sleep as effectionSleep,
  spawn as effectionSpawn,
  suspend,
} from 'effection';
import { bytesPer, type Figure, timeAsync, timeSync } from './measure.js';

// ------------------------------------------------------------------------ await

/** One operation at the bottom of `depth` async calls, each of which awaits the one below. */
async function awaitBelow(depth: number): Promise<number> {
  if (depth > 0) return (await awaitBelow(depth - 1)) + 1;
  await null;
  return 0;
}

class AsyncGate {
  #waiting: (() => void) | undefined;
  open(): void {
    this.#waiting?.();
  }
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }
}

const awaiting: Record<string, Figure> = {
  'round trip, depth 1': () =>
    timeAsync(200_000, async (count) => {
      for (let i = 0; i < count; i++) await awaitBelow(0);
    }),
  'round trip, depth 15': () =>
    timeAsync(50_000, async (count) => {
      for (let i = 0; i < count; i++) await awaitBelow(14);
    }),
  'spawn+join': () =>
    timeAsync(200_000, async (count) => {
      for (let i = 0; i < count; i++) await (async () => i)();
    }),
  'Event ping-pong': () =>
    timeAsync(50_000, async (count) => {
      const ping = new AsyncGate();
      const pong = new AsyncGate();
      const other = (async () => {
        for (let i = 0; i < count; i++) {
          await ping.wait();
          pong.open();
        }
      })();
      for (let i = 0; i < count; i++) {
        const answer = pong.wait();
        ping.open();
        await answer;
      }
      await other;
    }),
  'bytes per parked, depth 15': () =>
    bytesPer(10_000, (count) => {
      const below = async (depth: number): Promise<number> => {
        if (depth > 0) return (await below(depth - 1)) + 1;
        await new Promise(() => {});
        return 0;
      };
      return Array.from({ length: count }, () => below(15));
    }),
};

// ------------------------------------------------------------------- generators

function* yieldBelow(depth: number): Generator<void, number, void> {
  if (depth > 0) return (yield* yieldBelow(depth - 1)) + 1;
  for (;;) yield;
}

const generators: Record<string, Figure> = {
  'round trip, depth 1': () => generatorTrip(1),
  'round trip, depth 15': () => generatorTrip(15),
};

function generatorTrip(depth: number): number {
  const generator = yieldBelow(depth);
  return timeSync(200_000, (count) => {
    for (let i = 0; i < count; i++) generator.next();
  });
}

// ----------------------------------------------------------------------- Effect

const effect: Record<string, Figure> = {
  'spawn+join': () =>
    Effect.runPromise(
      Effect.gen(function* () {
        return yield* Effect.promise(() =>
          timeAsync(20_000, (count) =>
            Effect.runPromise(
              Effect.gen(function* () {
                for (let i = 0; i < count; i++)
                  yield* EffectFiber.join(yield* Effect.fork(Effect.succeed(i)));
              }),
            ),
          ),
        );
      }),
    ),
  'sleep(0)': () =>
    timeAsync(20_000, (count) =>
      Effect.runPromise(
        Effect.gen(function* () {
          for (let i = 0; i < count; i++) yield* Effect.yieldNow();
        }),
      ),
    ),
  'Queue ping-pong': () =>
    timeAsync(10_000, (count) =>
      Effect.runPromise(
        Effect.gen(function* () {
          const ping = yield* EffectQueue.unbounded<number>();
          const pong = yield* EffectQueue.unbounded<number>();
          const other = yield* Effect.fork(
            Effect.gen(function* () {
              for (let i = 0; i < count; i++) yield* pong.offer(yield* ping.take);
            }),
          );
          for (let i = 0; i < count; i++) {
            yield* ping.offer(i);
            yield* pong.take;
          }
          yield* EffectFiber.join(other);
        }),
      ),
    ),
  'Pool.map per item': () => {
    const items = Array.from({ length: 10_000 }, (_, i) => i);
    return timeAsync(items.length, () =>
      Effect.runPromise(Effect.forEach(items, (item) => Effect.succeed(item), { concurrency: 10 })),
    );
  },
};

// -------------------------------------------------------------------- Effection

const effectionFigures: Record<string, Figure> = {
  'spawn+join': () =>
    timeAsync(3000, (count) =>
      effection(function* () {
        for (let i = 0; i < count; i++) {
          yield* yield* effectionSpawn(() => call(() => i));
        }
      }),
    ),
  'bytes per parked, depth 15': () =>
    bytesPer(
      2000,
      (count) =>
        effection(function* () {
          function* below(depth: number): ReturnType<typeof suspend> {
            if (depth > 0) return yield* below(depth - 1);
            return yield* suspend();
          }
          for (let i = 0; i < count; i++) yield* effectionSpawn(() => below(15));
          yield* effectionSleep(100_000);
        }),
      () => new Promise((resolve) => setTimeout(resolve, 500)),
    ),
};

// --------------------------------------------------------------- worker_threads

const workers: Record<string, Figure> = {
  'Event ping-pong': async () => {
    const source = `require('node:worker_threads').parentPort.on('message', (m) => require('node:worker_threads').parentPort.postMessage(m));`;
    const worker = new Worker(source, { eval: true });
    try {
      return await timeAsync(2000, async (count) => {
        for (let i = 0; i < count; i++) {
          worker.postMessage(i);
          await new Promise((resolve) => worker.once('message', resolve));
        }
      });
    } finally {
      await worker.terminate();
    }
  },
};

export const peers: Record<string, Record<string, Figure>> = {
  await: awaiting,
  generators,
  Effect: effect,
  Effection: effectionFigures,
  worker_threads: workers,
};
