/** Parked forms of fs that take turns with each other, and originals that wait for theirs. */
import { type ThroughOptions, through } from '../parking.js';
import type { NodeFunction } from '../registry.js';
import { absolute, absoluteLike, asGiven, claimOf, claimOfDescriptor } from './taken.js';
import { type Claim, inClaim, isSomebodyIn } from './turns.js';

/** How a function stands to the files that it is about. */
export interface Nature {
  /** The numbers of the arguments that are paths, or descriptors. Default: the first is a path. */
  readonly paths?: readonly number[];
  readonly descriptor?: boolean;
  readonly writes?: boolean;
  readonly trees?: boolean;
}

export function claimsOf(args: readonly unknown[], nature: Nature): Claim {
  const { paths = [0], descriptor = false, writes = false, trees = false } = nature;
  if (descriptor || typeof args[0] === 'number')
    return claimOfDescriptor(args[0] as number, writes);
  const names = paths.map((at) => absolute(args[at])).filter((name) => name !== undefined);
  return claimOf(names, writes, trees);
}

/**
 * The original, in one piece as ever. While somebody else is in the middle of a parked call on the same file,
 * it parks until that has ended: it would see what no call has ever shown.
 */
export function inOnePiece(original: NodeFunction, nature: Nature): NodeFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    if (!isSomebodyIn()) return Reflect.apply(original, this, args);
    const now = absoluteArguments(args, nature);
    return inClaim(claimsOf(now, nature), (leave) => {
      try {
        return Reflect.apply(original, this, now);
      } catch (error) {
        throw asGiven(error, args, now);
      } finally {
        leave();
      }
    });
  };
}

export function absoluteArguments(args: readonly unknown[], { paths = [0] }: Nature): unknown[] {
  return args.map((value, at) => (paths.includes(at) ? absoluteLike(value) : value));
}

/** Calls `leave` when the twin has called back, or has started nothing: whoever waits for it may be dead by then. */
export function leavingAtEnd(twin: NodeFunction, leave: () => void): NodeFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    const callback = args.pop() as NodeFunction;
    try {
      return Reflect.apply(twin, this, [
        ...args,
        (...outcome: unknown[]) => {
          leave();
          callback(...outcome);
        },
      ]);
    } catch (error) {
      leave();
      throw error;
    }
  };
}

/**
 * The parked form of a function, through its twin: with paths as they are at the moment of the call, and in
 * turn with others on the same files.
 */
export function inTurn(
  original: NodeFunction,
  twin: NodeFunction,
  nature: Nature,
  options: ThroughOptions = {},
): NodeFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    const now = absoluteArguments(args, nature);
    return inClaim(claimsOf(now, nature), (leave) => {
      let started = false;
      const start: NodeFunction = function (this: unknown, ...given) {
        started = true;
        return Reflect.apply(leavingAtEnd(twin, leave), this, given);
      };
      try {
        return Reflect.apply(through(original, start, options), this, now);
      } catch (error) {
        throw asGiven(error, args, now);
      } finally {
        if (!started) leave();
      }
    });
  };
}
