/** What counts as state that a package keeps between calls, and what does not. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { readPackage } from '#src/monkey/reentry/package.js';
import { leaveNothing } from '../helpers.js';
import { temporaryFolder } from '../io-helpers.js';

leaveNothing();
const folder = temporaryFolder();
let packages = 0;

/** What is said of a package of these files; `index.js` is where the call comes from. */
function stateOf(files: Record<string, string>): string | undefined {
  const root = path.join(folder, String(packages++));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  }
  const start = Object.keys(files)[0] as string;
  return readPackage(path.join(root, start)).state?.replaceAll(`${root}/`, '');
}

const state: Record<string, string> = {
  'a name of the module': `
    let current;
    exports.run = (name) => { current = name; work(); return current; };`,
  'a property of an object of the module': `
    const state = {};
    exports.run = (name) => { state.current = name; work(); };`,
  'a property of exports': `
    exports.run = (name) => { exports.last = name; work(); };`,
  'through another name within the function': `
    const state = { shell: {} };
    exports.run = (name) => { const { shell } = state; const s = shell; s.current = name; work(); };`,
  'by taking apart': `
    let first, rest;
    exports.run = (list) => { [first, ...rest] = list; work(); };`,
  'by a loop': `
    let item;
    exports.run = (list) => { for (item of list) work(item); };`,
  'in a function within a function': `
    let current;
    exports.make = (name) => () => { current = name; work(); };`,
  'in a function that the package calls': `
    let current;
    function use(name) { current = name; }
    exports.run = (name) => { use(name); work(); };`,
  'in a method': `
    let current;
    exports.Shell = class { run(name) { current = name; work(); } };`,
  'an object that the module has made for itself': `
    class Shell { run(name) { const self = this; self.current = name; work(); } }
    const shell = new Shell();
    exports.run = (name) => shell.run(name);`,
  'the object that is the module': `
    module.exports = new (class { run(name) { [1].forEach(() => { this.current = name; }); work(); } })();`,
  'a class, in what is called on it': `
    exports.Shell = class { static run(name) { this.current = name; work(); } };`,
  'on and off': `
    let busy = false;
    exports.run = () => { busy = true; work(); busy = false; };`,
  'up and down': `
    let depth = 0;
    exports.run = () => { depth++; work(); depth--; };`,
  'a list that is a stack': `
    const stack = [];
    exports.run = (name) => { stack.push(name); work(); stack.pop(); };`,
  'a lock that says who has it': `
    let owner;
    exports.run = (name) => { if (owner) throw new Error(owner); owner = name; work(); owner = null; };`,
  'emptied by who has filled it': `
    let current;
    exports.run = (name) => { current ??= name; work(); current = undefined; };`,
  'more than one property at once': `
    const state = {};
    exports.run = (options) => { Object.assign(state, options); work(); };`,
  'a name that nobody has declared': 'exports.run = (name) => { current = name; work(); };',
  'a module in a function that is called at once': `
    (function () { var current; exports.run = function (name) { current = name; work(); }; })();`,
  'a module in a function that is handed to a loader': `
    (function (root, factory) { factory(exports); })(this, function (out) {
      var current; out.run = function (name) { current = name; work(); };
    });`,
  'a module in a bundle': `
    var require_shell = __commonJS({
      'shell.js'(exports) { var current; exports.run = (name) => { current = name; work(); }; },
    });`,
  'the next answer of a port, whoever has asked': `
    exports.make = (port) => () => { work(); return receiveMessageOnPort(port); };`,
};

const none: Record<string, string> = {
  'what a call has for itself': `
    exports.run = (name) => { let current; current = name; const state = {}; state.x = 1; work(); };`,
  'what has the same name within a function': `
    let current;
    exports.run = (current) => { current = 1; { let other; other = current; } work(); return current; };`,
  'while the module is loaded': `
    let current; current = 1; exports.last = current;
    (() => { current = 2; })();
    for (const name of ['a']) exports[name] = () => work();`,
  'what is filled once': `
    let a, b, c, d, e, f, g, h;
    exports.run = () => {
      a ??= work(); b ||= work();
      if (!c) c = work();
      if (d === undefined) { d = work(); }
      e = e || work();
      f = f !== undefined ? f : work();
      (typeof g === 'undefined') && (g = work());
      h || (h = work());
    };`,
  'what is filled once, or returned at once': `
    const cache = {};
    exports.run = () => {
      if (cache.found) return cache.found;
      cache.found = work();
      return cache.found;
    };`,
  'what is filled once, through another name': `
    const cache = {};
    exports.run = () => {
      let found = cache.found;
      if (found === undefined) { found = work(); cache.found = found; }
      return found;
    };`,
  'a memo that somebody else empties': `
    let memo;
    exports.run = () => (memo ??= work());
    exports.clear = () => { memo = undefined; work(); };`,
  'entries of a table': `
    const cache = {}, held = new Map();
    exports.run = (key) => {
      cache[key] = work();
      held.set(key, 1);
      const entry = cache[key]; entry.used = true;
      delete cache[key];
    };`,
  'said once, for good': `
    let warned = false;
    exports.run = () => { if (work()) { warned = true; } };`,
  'numbers that are counted up': `
    let id = 0, calls = 0;
    exports.run = () => { const own = id++; calls += 1; work(own); };`,
  'a module that is loaded when it is needed': `
    let fs;
    exports.run = () => { fs = require('fs'); work(); };`,
  'a function that replaces itself': `
    function lazy() { const data = require('os'); lazy = function () { return data; }; return data; }
    var assign = Object.assign || function (x) { assign = Object.assign; return assign(x); };
    exports.run = () => { lazy(); assign({}); work(); };`,
  'settings, which their users make by a call of its own': `
    let logger = console;
    exports.setLogger = (one) => { if (typeof one !== 'function') throw new TypeError('no'); logger = one; };
    exports.run = () => { work(); logger('done'); };`,
  'what belongs to the process': `
    const fs = require('fs');
    exports.run = () => { process.exitCode = work(); fs.open = work; };`,
  'what objects have': `
    class Shell { constructor() { this.current = 1; work(); } run(name) { this.current = name; work(); } }
    exports.make = () => new Shell();
    exports.own = new (class { constructor() { this.x = work(); } })();`,
  'answers of a port of its own': `
    exports.run = () => {
      const { port1 } = new MessageChannel(); work(); return receiveMessageOnPort(port1);
    };`,
};

describe('a package keeps state that writes to', () => {
  for (const [name, text] of Object.entries(state))
    test(name, () => {
      assert.match(String(stateOf({ 'index.js': text })), /^index\.js:\d+ /);
    });

  test('what a file has that it requires', () => {
    const found = stateOf({
      'index.js': `const common = require('./lib/common'); exports.run = common.run;`,
      'lib/common.js': `const state = require('../state');\nexports.run = (name) => {\n  state.current = name;\n};`,
      'state/index.js': 'module.exports = {};',
    });
    assert.equal(found, undefined, 'run is a setter as long as nobody calls it');
    const called = stateOf({
      'index.js': `const common = require('./lib/common'); exports.run = (name) => { common.use(name); work(); };`,
      'lib/common.js': `const state = require('../state');\nexports.use = (name) => {\n  state.current = name;\n};`,
      'state/index.js': 'module.exports = {};',
    });
    assert.equal(called, 'lib/common.js:3 state.current = name');
  });

  test('the same in two files, each with a value of its own', () => {
    const found = stateOf({
      'index.js': `const state = require('./state'); require('./end'); exports.run = () => { state.busy = true; work(); };`,
      'end.js': `const state = require('./state'); exports.end = () => { state.busy = false; work(); };`,
      'state.js': 'module.exports = {};',
    });
    assert.equal(found, 'index.js:1 state.busy = true');
  });

  test('an import of another file of its own, in ES modules', () => {
    const found = stateOf({
      'index.mjs': `import { state } from './state.mjs'; export function run(name) { state.current = name; work(); }`,
      'state.mjs': 'export const state = {};',
    });
    assert.equal(found, 'index.mjs:1 state.current = name');
    const bound = stateOf({
      'index.js': `export * from './run.js';`,
      'run.js': `let current;\nexport const run = (name) => { current = name; work(); };`,
    });
    assert.equal(bound, 'run.js:2 current = name');
  });
});

describe('a package keeps no state in', () => {
  for (const [name, text] of Object.entries(none))
    test(name, () => {
      assert.equal(stateOf({ 'index.js': text }), undefined);
    });

  test('objects of files that only help', () => {
    const files = {
      'index.js': `const { log } = require('./log'); exports.run = () => { log.begin('run'); work(); };`,
      'log.js': `class Log { begin(name) { this.current = name; work(); } } exports.log = new Log();`,
    };
    assert.equal(stateOf(files), undefined);
    assert.match(String(stateOf({ 'log.js': files['log.js'] })), /^log\.js:1 /);
  });

  test('files that it does not require', () => {
    const files = {
      'index.js': `require('./data.json'); require('../none'); require('os'); exports.run = () => work();`,
      'other.js': 'let current; exports.run = (name) => { current = name; work(); };',
      'data.json': '{}',
    };
    assert.equal(stateOf(files), undefined);
  });

  test('modules that require each other', () => {
    const files = {
      'index.js': `require('./other'); exports.run = () => work();`,
      'other.js': `require('./index'); require('.');`,
    };
    assert.equal(stateOf(files), undefined);
  });
});

describe('what cannot be told counts as state', () => {
  test('a file that the parser does not understand', () => {
    const found = stateOf({
      'index.js': `if (process.future) require('./future');`,
      'future.js': '@decorated class Future {}',
    });
    assert.match(String(found), /^future\.js is not understood: /);
    assert.match(String(stateOf({ 'index.cjs': 'import "x";' })), /^index\.cjs is not understood/);
  });

  test('very many sources', () => {
    const large = `/* ${'.'.repeat(4 * 2 ** 20)} */`;
    assert.equal(stateOf({ 'index.js': large }), 'its sources are more than 4 MiB');
  });

  test('what the system does not give says so, and nothing is kept of it', () => {
    assert.throws(() => readPackage(path.join(folder, 'none.js')), { code: 'ENOENT' });
  });
});
