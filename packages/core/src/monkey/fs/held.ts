/** Parked forms of fs that take turns with each other, and originals that wait for theirs. */
import { keepMask } from '../mask.js';
import { type ThroughOptions, through } from '../parking.js';
import type { NodeFunction } from '../registry.js';
import { claimOf, claimOfDescriptor } from './claims.js';
import { ofClosed, unlessClosed } from './closed.js';
import { forgetSmall } from './policy.js';
import { absolute, asGiven, resultAsGiven, takenArguments } from './taken.js';
import { type Claim, inClaim, mightWait, mustWaitFor } from './turns.js';

/** How a function stands to the files that it is about. */
export interface Nature {
  /** The numbers of the arguments that are paths, or descriptors. Default: the first is a path. */
  readonly paths?: readonly number[];
  readonly descriptor?: boolean;
  /** Bytes go through the descriptor where it stands. */
  readonly moves?: boolean;
  readonly writes?: boolean;
  readonly trees?: boolean;
  /** The number of the argument that is bytes that go out. */
  readonly bytes?: number;
  /** The result names what is below the first argument. */
  readonly names?: boolean;
}

export function claimsOf(args: readonly unknown[], nature: Nature): Claim {
  const { paths = [0], descriptor = false, moves = false, writes = false, trees = false } = nature;
  if (descriptor || typeof args[0] === 'number')
    return claimOfDescriptor(args[0] as number, writes, moves || !descriptor);
  const names = paths.map((at) => absolute(args[at])).filter((name) => name !== undefined);
  return claimOf(names, writes, trees);
}

/** Calls it with what it takes at this moment; results and errors name paths as they were given. */
export function withTaken(nature: Nature, call: NodeFunction): NodeFunction {
  const { descriptor = false, paths = descriptor ? [] : [0], bytes } = nature;
  return function (this: unknown, ...args: unknown[]): unknown {
    const now = takenArguments(args, paths, bytes);
    try {
      const result = Reflect.apply(call, this, now);
      return nature.names ? resultAsGiven(result, args[0], now[0]) : result;
    } catch (error) {
      throw asGiven(error, args, now);
    }
  };
}

/** Calls `work` when nobody is at what `claim` names, and lets others in when it has ended. */
export function during<T>(claim: Claim, work: () => T): T {
  return inClaim(claim, (leave) => {
    try {
      return work();
    } finally {
      leave();
    }
  });
}

/**
 * The original, in one piece as ever. While somebody else is in the middle of a parked call on the same file,
 * it parks until that has ended: it would see what no call has ever shown.
 */
export function inOnePiece(original: NodeFunction, nature: Nature): NodeFunction {
  const late = withTaken(nature, function (this: unknown, ...now) {
    const call = () => Reflect.apply(original, this, now);
    const makes = nature.writes && typeof now[0] !== 'number';
    const underMask = makes ? keepMask() : undefined;
    return unlessClosed(
      () => during(claimsOf(now, nature), () => (underMask ? underMask(call) : call())),
      () => ofClosed(original, now),
    );
  });
  const { writes = false, descriptor = false } = nature;
  return function (this: unknown, ...args: unknown[]): unknown {
    if (writes && !descriptor) forgetSmall();
    if (!mightWait()) return Reflect.apply(original, this, args);
    const claim = claimsOf(args, nature);
    if (mustWaitFor(claim)) return Reflect.apply(late, this, args);
    return during(claim, () => Reflect.apply(original, this, args));
  };
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

/** Through the twin, while nobody else is at what the call is about. */
export function throughInTurn(
  original: NodeFunction,
  twin: NodeFunction,
  claimed: (now: readonly unknown[]) => Claim,
  options: ThroughOptions = {},
): NodeFunction {
  return function (this: unknown, ...now: unknown[]): unknown {
    const claim = claimed(now);
    const work = (leave: () => void) => {
      let started = false;
      const start: NodeFunction = function (this: unknown, ...given) {
        started = true;
        return Reflect.apply(leavingAtEnd(twin, leave), this, given);
      };
      try {
        return Reflect.apply(through(original, start, options), this, now);
      } finally {
        if (!started) leave();
      }
    };
    return unlessClosed(
      () => inClaim(claim, work),
      () => ofClosed(original, now),
    );
  };
}

/**
 * The parked form of a function, through its twin: with what it has taken at the moment of the call, and in turn
 * with others on the same files.
 */
export function inTurn(
  original: NodeFunction,
  twin: NodeFunction,
  nature: Nature,
  options: ThroughOptions = {},
): NodeFunction {
  const claimed = (now: readonly unknown[]) => claimsOf(now, nature);
  return withTaken(nature, throughInTurn(original, twin, claimed, options));
}
