/**
 * A package that keeps something in its modules while it makes a call (the name of the command at hand, say)
 * believes that nobody enters it meanwhile. What such a package calls does not park.
 */
import { createRequire } from 'node:module';
import { Fiber } from '@tendril/fiber';
import { InvalidArgumentError } from '../../errors.js';
import { isTracing } from '../tracing.js';
import { type Caller, callers } from './callers.js';
import type { Answer } from './package.js';

/** Packages that are not asked what they keep. */
export interface PackageOptions {
  /**
   * Packages, by their names: what is called by them, and by what they call, blocks and never parks. Under the
   * flag, TENDRIL_BLOCK_IN has them, with commas between.
   */
  blockIn?: readonly string[];
  /**
   * Packages, by their names, whose calls park although they seem to keep state between calls: they are known to
   * be fine, or one greenlet at a time uses them. Under the flag, TENDRIL_PARK_IN has them. `blockIn` goes first.
   */
  parkIn?: readonly string[];
}

/** @throws InvalidArgumentError */
export function checkPackages(name: keyof PackageOptions, packages: unknown): void {
  const isName = (each: unknown) => typeof each === 'string' && each !== '';
  if (packages !== undefined && !(Array.isArray(packages) && packages.every(isName)))
    throw new InvalidArgumentError(name, 'a list of names of packages', packages);
}

const settings = { blockIn: new Set<string>(), parkIn: new Set<string>() };

export function setPackages({ blockIn, parkIn }: PackageOptions): void {
  if (blockIn) settings.blockIn = new Set(blockIn);
  if (parkIn) settings.parkIn = new Set(parkIn);
}

const require = createRequire(import.meta.url);

/** By folder: what packages keep. */
const states = new Map<string, string>();
/** Files in which nothing is kept, nor in what they require. */
const clean = new Set<string>();
const told = new Set<string>();

/** Bytes. The stack at hand may be nearly used up, and the parser calls itself. */
const stackSize = 2 ** 20;

/** What reads packages is loaded with the first of them: many programs have none that would park. */
function read(file: string): Answer {
  const reader = new Fiber(
    () => (require('./package.js') as typeof import('./package.js')).readPackage(file),
    { stackSize },
  );
  return reader.resume() as Answer;
}

function stateOf({ file, folder }: Caller): string | undefined {
  if (states.has(folder) || clean.has(file)) return states.get(folder);
  try {
    const { state, files } = read(file);
    if (state !== undefined) states.set(folder, state);
    else for (const each of files) clean.add(each);
    return state;
  } catch (error) {
    return (error as Error).message; // of the system, for now: it may have no descriptors left
  }
}

function tell({ name }: Caller, state: string): void {
  if (told.has(name)) return;
  told.add(name);
  process.stderr.write(
    `tendril: ${name} blocks, for it may keep something between calls: ${state}\n` +
      `    patchAll({ parkIn: ['${name}'] }), or TENDRIL_PARK_IN=${name}, lets it park\n`,
  );
}

/**
 * Whether the call at hand may park, as far as the packages on the stack are concerned: those that have made it, down
 * to the first code of the application. What has called the application can be entered again anyway.
 */
export function mayPark(): boolean {
  const { blockIn, parkIn } = settings;
  const { near, far } = callers(blockIn.size > 0);
  if (near.some(({ name }) => blockIn.has(name)) || far.some(({ name }) => blockIn.has(name)))
    return false;
  for (const caller of near) {
    const state = parkIn.has(caller.name) ? undefined : stateOf(caller);
    if (state === undefined) continue;
    if (isTracing) tell(caller, state);
    return false;
  }
  return true;
}
