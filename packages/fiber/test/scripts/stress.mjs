// Parks fibers in every kind of frame while the heap is moved under them, and checks every value
// afterwards. Run by stress.test.ts under V8's stress flags; exits with 1 when a value is wrong.
import { AsyncLocalStorage } from 'node:async_hooks';
import v8 from 'node:v8';
import { Fiber, statistics } from '@tendril/fiber';

const size = Number(process.argv[2] ?? 300);
const wasm = !process.execArgv.includes('--jitless');
const major = Number(process.versions.node.split('.')[0]);
const collect = globalThis.gc ?? (() => {});
const failures = [];

function check(condition, what) {
  if (!condition) failures.push(what);
}

function resumeAll(fibers) {
  for (let round = 0; fibers.some((fiber) => fiber.state !== 'done'); round++) {
    for (const fiber of fibers) if (fiber.state === 'suspended') fiber.resume(round);
    if (round % 3 === 0) collect(round % 2 ? { type: 'minor' } : undefined);
  }
}

// ---------------------------------------------------- values on the stack, at every depth

function descend(depth, seed) {
  const young = { seed, depth, text: `${seed}:${depth}` };
  const bytes = new Uint8Array([depth, seed & 255]);
  const big = BigInt(seed) ** 3n;
  const half = seed + 0.5;
  const below = depth > 0 ? descend(depth - 1, seed) : Fiber.suspend(seed);
  if (depth % 4 === 1) Fiber.suspend(young);
  check(young.text === `${seed}:${depth}` && young.depth === depth, 'object');
  check(bytes[0] === depth && bytes[1] === (seed & 255), 'typed array');
  check(big === BigInt(seed) ** 3n, 'bigint');
  check(half === seed + 0.5, 'double');
  return depth > 0 ? below + 1 : 0;
}

function deepFibers() {
  const done = [];
  const fibers = [];
  for (let i = 0; i < size; i++) {
    const fiber = new Fiber(() => done.push(descend(i % 31, i)));
    fiber.resume();
    fibers.push(fiber);
  }
  collect();
  resumeAll(fibers);
  check(done.length === size, 'all deep fibers ended');
}

// --------------------------------------------------------------- inside built-in functions

/** Suspends, and goes on with `value`. */
function after(value) {
  Fiber.suspend();
  return value;
}

function builtins() {
  const results = [];
  const fibers = [
    () => [3, 1, 2].sort((a, b) => after(a - b)).join(),
    () => JSON.parse('{"a":[1,2,{"b":3}]}', (_, v) => after(v)).a[2].b,
    () => 'abc'.replace(/./g, (c) => after(c.toUpperCase())),
    () => Array.from({ length: 3 }, (_, i) => after(i * i)).join(),
    () => JSON.stringify({ toJSON: () => after({ x: 1 }) }),
    () => [1, 2, 3].map((x) => after(x * 2)).reduce((a, b) => after(a + b)),
    () =>
      Reflect.construct(
        class A {
          v = after(7);
        },
        [],
      ).v,
    () => new Proxy({}, { get: (_, key) => after(key) }).hello,
    () => `${{ toString: () => after('str') }}`,
    () =>
      [
        ...(function* () {
          for (let i = 0; i < 3; i++) {
            Fiber.suspend();
            yield i;
          }
        })(),
      ].join(),
    () => {
      try {
        Fiber.suspend();
        throw new Error('x');
      } catch (e) {
        Fiber.suspend();
        return e.message;
      }
    },
    () => {
      const m = new Map([[1, 2]]);
      m.forEach(() => {
        Fiber.suspend();
      });
      return m.get(1);
    },
  ].map(
    (fn) =>
      new Fiber(() => {
        results.push(fn());
      }),
  );
  for (const fiber of fibers) fiber.resume();
  resumeAll(fibers);
  const expected = ['1,2,3', 3, 'ABC', '0,1,4', '{"x":1}', 12, 7, 'hello', 'str', '0,1,2', 'x', 2];
  check(
    JSON.stringify(results.map(String).sort()) === JSON.stringify(expected.map(String).sort()),
    `builtins: ${results}`,
  );
}

// -------------------------------------------------------------- optimised and deoptimised code

function hot() {
  function add(a, b) {
    return a + b;
  }
  const fiber = new Fiber(() => {
    let sum = 0;
    for (let i = 0; i < 60_000; i++) {
      sum = add(sum, i % 7);
      if (i % 20_000 === 19_999) Fiber.suspend();
    }
    const text = add('deopt', 1);
    Fiber.suspend();
    return `${text}${sum}`;
  });
  let last = fiber.resume();
  while (fiber.state !== 'done') {
    collect({ type: 'minor' });
    last = fiber.resume();
  }
  let sum = 0;
  for (let i = 0; i < 60_000; i++) sum += i % 7;
  check(last === `deopt1${sum}`, `hot loop: ${last}`);
}

// ----------------------------------------------------------- collections started inside fibers

function collectInside() {
  const keep = [];
  const others = Array.from({ length: 50 }, (_, i) => {
    const fiber = new Fiber(() => keep.push(descend(15, i)));
    fiber.resume();
    return fiber;
  });
  const inside = new Fiber(() => {
    const garbage = [];
    for (let i = 0; i < 20; i++) {
      garbage.push(new Array(10_000).fill({ i }));
      collect(i % 2 ? { type: 'minor' } : undefined);
      if (i % 5 === 0) Fiber.suspend();
    }
    let bytes = 0;
    v8.getHeapSnapshot()
      .on('data', () => {})
      .destroy();
    bytes = v8.getHeapStatistics().used_heap_size;
    return bytes > 0 && garbage.length;
  });
  let last;
  while (inside.state !== 'done') last = inside.resume();
  check(last === 20, 'collections inside a fiber');
  const weak = new Fiber(() => {
    const ref = new WeakRef({ alive: true });
    Fiber.suspend();
    return ref.deref() === undefined || ref.deref().alive;
  });
  weak.resume();
  collect();
  check(weak.resume() === true, 'weak reference');
  resumeAll(others);
  check(keep.length === 50, 'parked over collections');
}

// ------------------------------------------------------------------------------- async context

function contexts() {
  if (major < 24) return; // there a scheduler has to move the stores: see @tendril/core
  const storage = new AsyncLocalStorage();
  const fibers = Array.from({ length: 100 }, (_, i) =>
    storage.run({ i }, () => {
      const fiber = new Fiber(() => {
        for (let k = 0; k < 3; k++) {
          check(storage.getStore()?.i === i, 'store after a park');
          storage.run({ i: i + 1000 }, () => {
            Fiber.suspend();
            check(storage.getStore()?.i === i + 1000, 'nested store after a park');
          });
        }
      });
      fiber.resume();
      return fiber;
    }),
  );
  check(storage.getStore() === undefined, 'no store outside');
  resumeAll(fibers);
}

// --------------------------------------------------------------------------------- WebAssembly

// (module (import "e" "f" (func $f)) (func (export "g") (result i32) call $f i32.const 42))
const wasmBytes = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 2, 96, 0, 0, 96, 0, 1, 127, 2, 7, 1, 1, 101, 1, 102, 0, 0, 3,
  2, 1, 1, 7, 5, 1, 1, 103, 0, 1, 10, 8, 1, 6, 0, 16, 0, 65, 42, 11,
]);

async function webAssembly() {
  if (!wasm) return;
  const { instance } = await WebAssembly.instantiate(wasmBytes, {
    e: { f: () => Fiber.suspend() },
  });
  const fibers = Array.from({ length: 20 }, () => {
    const fiber = new Fiber(() => check(instance.exports.g() === 42, 'WebAssembly frame'));
    fiber.resume();
    return fiber;
  });
  collect();
  // undici parses HTTP with WebAssembly. (Node 22 cannot even load node:http with --jitless.)
  const { createServer } = await import('node:http');
  const server = createServer((_, response) => response.end('pong')).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  for (let i = 0; i < 10; i++) {
    const response = await fetch(`http://127.0.0.1:${server.address().port}/`);
    check((await response.text()) === 'pong', 'fetch while fibers are parked');
    collect();
  }
  server.closeAllConnections();
  server.close();
  resumeAll(fibers);
}

deepFibers();
builtins();
hot();
collectInside();
contexts();
await webAssembly();
deepFibers();
check(statistics().live === 0, `live fibers: ${statistics().live}`);
if (failures.length > 0) {
  console.error([...new Set(failures)].join('\n'));
  process.exit(1);
}
console.log('held');
