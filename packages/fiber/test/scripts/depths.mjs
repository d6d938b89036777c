// How deep it goes on the main stack or in a fiber (argv[2]): JavaScript in several ways, and native code that
// recurses without a look at V8's limit. Prints the name of each before it is tried, so that the last one says where
// a crash was; those of argv[4], a JSON list, are left out.
import fs from 'node:fs';
import util from 'node:util';
import vm from 'node:vm';
import { Fiber } from '@tendril/fiber';

/** Each calls `down` one level deeper, through what it is named after. */
const ways = {
  functions: (down) => down(),
  'Array.prototype.map': (down) => [0].map(down),
  'Array.prototype.sort': (down) => [1, 0].sort(down),
  'String.prototype.replace': (down) => 'a'.replace(/a/, down),
  'JSON.stringify': (down) => JSON.stringify({ toJSON: down }),
  'Reflect.apply': (down) => Reflect.apply(down, undefined, []),
  getters: (down) => Object.defineProperty({}, 'x', { get: down }).x,
  proxies: (down) => new Proxy({}, { get: down }).x,
  classes: (down) =>
    new (class {
      constructor() {
        down();
      }
    })(),
  generators: (down) =>
    (function* () {
      yield down();
    })().next(),
};

function depthOf(way) {
  let depth = 0;
  const down = () => {
    depth++;
    way(down);
    return 0;
  };
  try {
    down();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return depth;
}

const nested = (open, inner, close) => (n) => open.repeat(n) + inner + close.repeat(n);
const pattern = (open, inner, close) => (n) => new RegExp(nested(open, inner, close)(n));
const run = (open, inner, close) => (n) => pattern(open, inner, close)(n).test('a');
const array = (n) => {
  let value = [];
  for (let i = 0; i < n; i++) value = [value];
  return value;
};
const deep = {
  'RegExp groups': pattern('(', 'a', ')'),
  'RegExp groups, run': run('(', 'a', ')'),
  'RegExp quantifiers': pattern('(?:', 'a', ')*'),
  'RegExp quantifiers, run': run('(?:', 'a', ')*'),
  'RegExp lookaheads': pattern('(?=', 'a', ')'),
  'RegExp lookaheads, run': run('(?=', 'a', ')'),
  'RegExp lookbehinds, run': run('(?<=', 'a', ')'),
  'RegExp alternatives': pattern('(?:b|', 'a', ')'),
  'RegExp alternatives, run': run('(?:b|', 'a', ')'),
  'RegExp classes': (n) => new RegExp(nested('[', 'a', ']')(n), 'v').test('a'),
  'RegExp backtracking': (n) => /^(?:(?:a|b)*c)?$/.test('a'.repeat(n)),
  'JSON.parse': (n) => JSON.parse(nested('[', '', ']')(n)),
  'JSON.parse, reviver': (n) => JSON.parse(nested('[', '', ']')(n), (_, value) => value),
  'JSON.stringify': (n) => JSON.stringify(array(n)),
  structuredClone: (n) => structuredClone(array(n)),
  'Array.prototype.flat': (n) => array(n).flat(Number.POSITIVE_INFINITY),
  'Array.prototype.toString': (n) => String(array(n)),
  'util.inspect': (n) => util.inspect(array(n), { depth: Number.POSITIVE_INFINITY }),
  'util.isDeepStrictEqual': (n) => util.isDeepStrictEqual(array(n), array(n)),
  'vm.Script, parentheses': (n) => new vm.Script(nested('(', '0', ')')(n)).runInThisContext(),
  'vm.Script, arrays': (n) => new vm.Script(nested('[', '0', ']')(n)).runInThisContext(),
  'vm.Script, functions': (n) => new vm.Script(nested('(()=>', '0', ')')(n)),
  'vm.Script, operators': (n) => new vm.Script(`${'1+'.repeat(n)}1`).runInThisContext(),
  'vm.Script, blocks': (n) => new vm.Script(nested('{', '', '}')(n)),
  'new Function': (n) => new Function(`return ${nested('[', '', ']')(n)}`)(),
  'promise chains': (n) => {
    let promise = Promise.resolve();
    for (let i = 0; i < n; i++) promise = promise.then(() => {});
    for (let i = 0; i < n; i++) promise = Promise.resolve(promise);
  },
  'string ropes': (n) => {
    let text = '';
    for (let i = 0; i < n; i++) text = `(${text})`;
    return text.indexOf('x');
  },
  'Intl.Locale': (n) => new Intl.Locale(`en-u-${'ca-'.repeat(n)}`),
  'Intl.NumberFormat': (n) =>
    new Intl.NumberFormat('en', { currency: 'X'.repeat(n), style: 'currency' }),
  'String.prototype.normalize': (n) => 'a\u0301'.repeat(n).normalize('NFD'),
  'String.prototype.localeCompare': (n) => 'a\u0301'.repeat(n).localeCompare('b'.repeat(n), 'de'),
};

function outcome(call) {
  try {
    call();
    return 'ok';
  } catch (error) {
    return `${error.name}${/stack|Stack/.test(error.message) ? ', stack' : ''}`;
  }
}

const [where, what, leftOut = '[]'] = process.argv.slice(2);
const names = new Set(JSON.parse(leftOut));
const levels = process.env.TENDRIL_TEST_SHORT === '1' ? [6000] : [1000, 6000, 30_000, 100_000];

function attempt(name, call) {
  if (names.has(name)) return;
  fs.writeSync(1, `${name}: `);
  fs.writeSync(1, `${call()}\n`);
}

function all() {
  if (what === 'depths')
    for (const [name, way] of Object.entries(ways)) attempt(name, () => depthOf(way));
  else
    for (const [name, call] of Object.entries(deep))
      for (const n of levels) attempt(`${name}, ${n}`, () => outcome(() => call(n)));
}

if (where === 'main') all();
else new Fiber(all).resume();
