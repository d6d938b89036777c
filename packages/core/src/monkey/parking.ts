/** What a replacement does: parks where that is possible, and is the original everywhere else. */
import { canPark, park } from '../index.js';
import { isLoading } from './loading.js';
import { type NodeFunction, replace } from './registry.js';

/**
 * Replaces a function by one that calls `parked` in greenlets, and the original untouched outside
 * them, in stack frames that cannot be left, and while a module is being loaded.
 */
export function replaceParking(
  module: string,
  path: string,
  makeParked: (original: NodeFunction) => NodeFunction,
): void {
  replace(module, path, (original) => {
    const parked = makeParked(original);
    return function (this: unknown, ...args: unknown[]): unknown {
      return Reflect.apply(canPark() && !isLoading() ? parked : original, this, args);
    };
  });
}

/** Says that the asynchronous form would not take the arguments. */
const refused = Symbol('refused');

export interface ThroughOptions {
  /** What becomes of a result that comes when its greenlet has been killed: close it. */
  discard?: (value: unknown) => void;
  /** Makes the arguments of the asynchronous form, without its callback. */
  args?: (args: unknown[]) => unknown[];
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
  { discard, args: adapt, result }: ThroughOptions = {},
): NodeFunction {
  return function parked(this: unknown, ...args: unknown[]): unknown {
    let abandoned = false;
    let outcome: unknown;
    try {
      outcome = park<unknown>((resume) => {
        const callback = (error: unknown, ...values: unknown[]) => {
          if (abandoned) {
            if (!error) discard?.(values[0]);
          } else if (error) resume.error(error);
          else resume(result ? result(values, args) : values[0]);
        };
        try {
          Reflect.apply(twin, this, [...(adapt ? adapt(args) : args), callback]);
        } catch {
          resume(refused);
        }
        return () => {
          abandoned = true;
        };
      });
    } catch (error) {
      throw standHere(error, parked);
    }
    return outcome === refused ? Reflect.apply(original, this, args) : outcome;
  };
}

/**
 * Gives an error of the event loop, whose stack is empty, the stack of the caller that waits for it:
 * the one that the synchronous function's error would have.
 */
export function standHere(error: unknown, above: NodeFunction): unknown {
  const bare = error instanceof Error && !error.stack?.includes('\n    at ');
  if (bare) Error.captureStackTrace(error, above);
  return error;
}
