/** What a package's own files say about it: whether it keeps state between calls. */
import type fs from 'node:fs';
import path from 'node:path';
import { getOriginal } from '../registry.js';
import { factsOf, type ModuleFacts, type Write } from './writes.js';

const readFileSync = getOriginal<typeof fs.readFileSync>('fs', 'readFileSync');
const statSync = getOriginal<typeof fs.statSync>('fs', 'statSync');

/** Characters of sources that are read for one answer, by which everybody waits for a second once. */
const most = 4 * 2 ** 20;

interface Module {
  readonly file: string;
  readonly text: string;
  readonly facts: ModuleFacts;
  /** Those that count. */
  readonly writes: readonly Write[];
}

function isOfSystem(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).syscall !== undefined;
}

function isFile(name: string): boolean {
  try {
    return statSync(name).isFile();
  } catch {
    return false; // of whatever kind: Node would not find it either
  }
}

/** Undefined for what is no JavaScript. */
function fileOf(from: string, request: string): string | undefined {
  const name = path.resolve(path.dirname(from), request);
  const names = [name, `${name}.js`, `${name}.cjs`, path.join(name, 'index.js')];
  return names.find((each) => /\.[cm]?js$/.test(each) && isFile(each));
}

export interface Answer {
  /** Where something is kept between calls, or why that cannot be told; undefined if nothing is. */
  readonly state: string | undefined;
  /** What has been read for it, of which the same can be said. */
  readonly files: readonly string[];
}

/**
 * Reads the code of a package that begins in `start`: that file, and all that it requires, directly or not.
 * @throws Error of the system, where a file cannot be read
 */
export function readPackage(start: string): Answer {
  const modules = new Map<string, Module>();
  const state = stateFrom(start, modules);
  const files = [...modules.values()].filter(({ writes, facts }) => writes === facts.writes);
  return { state, files: files.map(({ file }) => file) };
}

function stateFrom(start: string, modules: Map<string, Module>): string | undefined {
  const files = [start];
  let size = 0;
  for (const file of files) {
    if (modules.has(file)) continue;
    const text = readFileSync(file, 'utf8');
    size += text.length;
    if (size > most) return `its sources are more than ${most / 2 ** 20} MiB`;
    let facts: ModuleFacts;
    try {
      facts = factsOf(file, text);
    } catch (error) {
      if (isOfSystem(error)) throw error;
      return `${file} is not understood: ${(error as Error).message}`;
    }
    const writes = file === start ? facts.writes : withoutThis(facts.writes);
    const module = { file, text, facts, writes };
    const state = writes.find((write) => write.manner === 'any' && setterOf(write) === undefined);
    if (state) return describe(module, state);
    modules.set(file, module);
    for (const request of facts.requests) {
      const next = /^\.\.?(\/|$)/.test(request) ? fileOf(file, request) : undefined;
      if (next !== undefined) files.push(next);
    }
  }
  const [state] = statesOf([...modules.values()]);
  return state && describe(state.module, state);
}

/** What an object has that stands nowhere on the stack is seldom that of the call at hand. */
function withoutThis(writes: readonly Write[]): readonly Write[] {
  return writes.some(({ isThis }) => isThis) ? writes.filter(({ isThis }) => !isThis) : writes;
}

function describe({ file, text }: Module, { start, end }: Write): string {
  const line = text.slice(0, start).split('\n').length;
  return `${file}:${line} ${text.slice(start, end).replace(/\s+/g, ' ').slice(0, 80)}`;
}

/** The name of the function, if it writes and does nothing else that anybody would see. */
function setterOf({ within, isInner }: Write): string | undefined {
  return within.isQuiet && !isInner ? within.name : undefined;
}

interface Found extends Write {
  readonly module: Module;
}

/** A write to each thing that is state. */
function statesOf(modules: readonly Module[]): Found[] {
  const isCalled = (name: string) => modules.some(({ facts }) => facts.calls.has(name));
  const things = new Map<string, Found[]>();
  for (const module of modules)
    for (const write of module.writes) {
      // What nobody in the package calls is set by its users, by a call of its own.
      const setter = setterOf(write);
      if (setter !== undefined && !isCalled(setter)) continue;
      const thing = things.get(write.what) ?? [];
      things.set(write.what, thing);
      thing.push({ ...write, module });
    }
  return [...things.values()].filter(isState).map(([first]) => first as Found);
}

const empty = new Set<string | undefined>(['0', 'false', 'null', 'undefined', "''", '""']);

/** All writes to one thing. Harmless is what is filled once, has one value for good, or is only ever counted up. */
function isState(writes: readonly Found[]): boolean {
  const manners = new Set(writes.map(({ manner }) => manner));
  if (manners.has('any')) return true;
  const constants = writes.filter(({ manner }) => manner === 'constant');
  const values = new Set(constants.map(({ value }) => value));
  if (values.size > 1) return true;
  const counts = Number(manners.has('up')) + Number(manners.has('down'));
  if (counts > 1 || (counts === 1 && values.size > 0)) return true;
  // A memo may be emptied by somebody else, but not by who has just filled it.
  return constants.some(
    (reset) =>
      empty.has(reset.value) &&
      writes.some(
        (fill) =>
          fill.manner === 'filled' && fill.within === reset.within && fill.start < reset.start,
      ),
  );
}
