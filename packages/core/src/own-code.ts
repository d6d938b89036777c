/** What is Tendril's own: its frames in stack traces, and other copies of it in this thread. */
import { fileURLToPath } from 'node:url';

// The folder of this package and its neighbours: `node_modules/@tendril/` or this repository's.
const scope = new URL('../../', import.meta.url);
const scopes = [scope.href, fileURLToPath(scope)];
const inside = /^[^/\\]+[/\\](?:dist|src)[/\\]/;

/** True for a line of a trace that is of this package or its neighbours. */
export function isOwnFrame(line: string): boolean {
  return scopes.some((place) => {
    const at = line.indexOf(place);
    return at >= 0 && inside.test(line.slice(at + place.length));
  });
}

/**
 * Sets how many frames a trace takes, and returns how many it took before: to be set back by another call. Where
 * a program has frozen `Error` (`node --frozen-intrinsics`) it stays as it is.
 */
export function limitTraces(frames: number): number {
  const before = Error.stackTraceLimit;
  try {
    Error.stackTraceLimit = frames;
  } catch {
    // Traces are longer or shorter than we would like, which breaks nothing.
  }
  return before;
}

const callFrame = /^(?:async )?(new )?(?:Object\.|Module\.|Proxy\.)?(.+?)(?: \[as (.+?)\])? \(/;

/**
 * The call of ours that somebody else's code has made, as in "Queue.get()": the outermost of our frames
 * above theirs. Undefined where the trace does not tell.
 */
export function callFromOutside(
  above: abstract new (...args: never[]) => unknown,
): string | undefined {
  const limit = limitTraces(50);
  const here: { stack?: unknown } = {};
  Error.captureStackTrace(here, above as never);
  const { stack } = here;
  limitTraces(limit);
  if (typeof stack !== 'string') return undefined;
  let name: string | undefined;
  for (const line of stack.split('\n    at ').slice(1)) {
    if (line.endsWith('(<anonymous>)')) continue; // the language's own, as next() of a generator
    if (!isOwnFrame(line)) return name && `${name}()`;
    const [, made, called, alias] = callFrame.exec(line) ?? [];
    if (!called || called.startsWith('[')) continue; // a function without a name, inside one of ours
    if (called === 'ClientView.apply') continue; // of blocking(): the name is that of the frame above
    const short = alias && called.includes('.') ? called.replace(/[^.]*$/, alias) : called;
    name = made ? `new ${short}` : short;
  }
  return undefined;
}

/** One copy of this package that is loaded in this thread. */
interface Copy {
  readonly place: string;
  /** True while one of its greenlets runs. */
  isRunning(): boolean;
}

const registry = Symbol.for('tendril.core.copies');
const shared = globalThis as { [registry]?: Copy[] };
shared[registry] ??= [];
const copies = shared[registry];

const place = fileURLToPath(new URL('..', import.meta.url));

/** Says loudly that this is not the only one: greenlets of one copy cannot park in another. */
export function registerCopy(isRunning: () => boolean): void {
  const others = copies.map((copy) => copy.place);
  copies.push({ place, isRunning });
  if (others.length > 0)
    process.emitWarning(
      `This process has loaded @tendril/core ${others.length + 1} times: from ${[...others, place].join(' and from ')}. ` +
        'Greenlets of one cannot park in calls of another. Find out why with `npm ls @tendril/core`, ' +
        'and make them one with `npm dedupe`, or with a peer dependency in the package that brings its own.',
      { type: 'TendrilWarning', code: 'TENDRIL_SECOND_COPY' },
    );
}

/** If a greenlet of another copy runs now: where that one and this one lie. */
export function runningElsewhere(): { other: string; own: string } | undefined {
  for (const copy of copies)
    if (copy.place !== place && copy.isRunning()) return { other: copy.place, own: place };
  return undefined;
}
