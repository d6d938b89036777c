/** What a replacement does: parks where that is possible, and is the original everywhere else. */
import { canPark, park } from '../index.js';
import { isLeaving } from './leaving.js';
import { isLoading } from './loading.js';
import { mayPark } from './reentry/index.js';
import { type NodeFunction, replace } from './registry.js';
import { isTracing, tellOfPark } from './tracing.js';
import { isWithin } from './within.js';

/**
 * Replaces a function by one that calls `parked` in greenlets, and the original untouched outside
 * them, in stack frames that cannot be left, while a module is being loaded, within a call that is made in one
 * go, and once the process has begun to go away.
 *
 * Of what some calls do not park the form asks {@link mayPark} itself, when it knows that this one would.
 */
export function replaceInGreenlets(
  module: string,
  path: string,
  makeParked: (original: NodeFunction) => NodeFunction,
): void {
  replace(module, path, (original) => {
    const parked = makeParked(original);
    return function (this: unknown, ...args: unknown[]): unknown {
      const parks = !isWithin() && canPark() && !isLoading() && !isLeaving();
      return Reflect.apply(parks ? parked : original, this, args);
    };
  });
}

/** The same for a function that parks in every call: where a package must not, it is the original, too. */
export function replaceParking(
  module: string,
  path: string,
  makeParked: (original: NodeFunction) => NodeFunction,
): void {
  replaceInGreenlets(module, path, (original) => {
    const parked = makeParked(original);
    return function (this: unknown, ...args: unknown[]): unknown {
      return Reflect.apply(mayPark() ? parked : original, this, args);
    };
  });
}

/** Says that the asynchronous form would not take the arguments. */
const refused = Symbol('refused');

/** For `args` to throw: with these arguments the original has to run. */
export const refusal = new Error('The asynchronous form does not take these arguments.');

/**
 * The first `count` arguments, as the asynchronous form takes them in front of its callback: without
 * those that the synchronous form ignores (`paths.map(fs.statSync)` gives three), and none that could
 * be taken for the callback.
 */
export function firstOf(count: number): (args: unknown[]) => unknown[] {
  return (args) => {
    const taken = args.slice(0, count);
    while (taken.length > 1 && taken.at(-1) === undefined) taken.pop();
    if (taken.some((argument) => typeof argument === 'function')) throw refusal;
    return taken;
  };
}

export interface ThroughOptions {
  /** What becomes of a result that comes when its greenlet has been killed: close it. */
  discard?: (value: unknown) => void;
  /** Stops what has been started: gets what the asynchronous form has returned. */
  abort?: (started: unknown) => void;
  /** Makes the arguments of the asynchronous form, without its callback. May throw {@link refusal}. */
  args?: (args: unknown[]) => unknown[];
  /**
   * Makes the error of the synchronous form from the asynchronous one's, where they differ. With
   * {@link refusal} the original is called, and says it itself: for what has no effects.
   */
  error?: (error: unknown, args: unknown[]) => unknown;
  /** Makes the result of the synchronous form from what the callback gets. */
  result?: (values: unknown[], args: unknown[]) => unknown;
}

/**
 * The parked form of a synchronous function: its asynchronous twin with a callback, Node's
 * `(error, value)`.
 *
 * A twin that throws at once has started nothing. Then the original is called after all: so an
 * argument that is refused is refused in the synchronous function's own words.
 */
export function through(
  original: NodeFunction,
  twin: NodeFunction,
  { abort, discard, args: adapt, error: reword, result }: ThroughOptions = {},
): NodeFunction {
  return function parked(this: unknown, ...args: unknown[]): unknown {
    let abandoned = false;
    if (isTracing) tellOfPark(parked);
    const outcome = park<unknown>((resume) => {
      const callback = (error: unknown, ...values: unknown[]) => {
        if (abandoned) {
          if (!error) discard?.(values[0]);
        } else if (error) {
          const own = reword ? reword(error, args) : error;
          if (own === refusal) resume(refused);
          else resume.error(own);
        } else resume(result ? result(values, args) : values[0]);
      };
      let started: unknown;
      try {
        started = Reflect.apply(twin, this, [...(adapt ? adapt(args) : args), callback]);
      } catch {
        resume(refused);
      }
      return () => {
        abandoned = true;
        abort?.(started);
      };
    });
    return outcome === refused ? Reflect.apply(original, this, args) : outcome;
  };
}
