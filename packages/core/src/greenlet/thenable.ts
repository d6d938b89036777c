/**
 * The rules of promises for whatever has a `then` (ECMA-262, 27.2.1.3.2; Promises/A+, 2.3): it is settled
 * once, by the first call of either function; what it resolves with is followed, if that is a thenable
 * itself; an error that `then` throws after that is nobody's, and before it a rejection.
 */

export type Then = PromiseLike<unknown>['then'];

const { then: ofPromises } = Promise.prototype;

/**
 * The `then` of a thenable; undefined for anything else. To be read once, and handed on: a getter may do its
 * work anew, or say something else. What it throws is the outcome of the thenable.
 */
export function thenOf(value: unknown): Then | undefined {
  if (typeof value === 'object' ? value === null : typeof value !== 'function') return undefined;
  const { then } = value as { then?: unknown };
  return typeof then === 'function' ? (then as Then) : undefined;
}

/** Of the language, with its own `then`: it keeps the rules by itself, and may be asked any number of times. */
export function isPlain(thenable: unknown, then: Then | undefined): boolean {
  return then === ofPromises && thenable instanceof Promise;
}

/** The words of Node's own promises. */
export function chainingCycle(): TypeError {
  return new TypeError('Chaining cycle detected for promise #<Promise>');
}

/**
 * Has one of both functions called when `thenable` has settled; its `then` is called at once. `isSelf` is
 * true of what would have to wait for itself.
 */
export function follow(
  thenable: unknown,
  then: Then,
  fulfilled: (value: unknown) => void,
  rejected: (reason: unknown) => void,
  isSelf?: (value: unknown) => boolean,
): void {
  if (isPlain(thenable, then)) {
    try {
      then.call(thenable as PromiseLike<unknown>, fulfilled, rejected);
    } catch (error) {
      rejected(error); // it only looks like one, or its class cannot make another
    }
    return;
  }
  let resolved = false;
  try {
    then.call(
      thenable as PromiseLike<unknown>,
      (value) => {
        if (resolved) return;
        resolved = true;
        resolve(value, fulfilled, rejected, isSelf);
      },
      (reason) => {
        if (resolved) return;
        resolved = true;
        rejected(reason);
      },
    );
  } catch (error) {
    if (resolved) return;
    resolved = true;
    rejected(error);
  }
}

function resolve(
  value: unknown,
  fulfilled: (value: unknown) => void,
  rejected: (reason: unknown) => void,
  isSelf: ((value: unknown) => boolean) | undefined,
): void {
  let then: Then | undefined;
  try {
    then = thenOf(value);
  } catch (error) {
    rejected(error);
    return;
  }
  if (!then) fulfilled(value);
  else if (isSelf?.(value)) rejected(chainingCycle());
  // On a turn of its own, as a promise does it: a chain of them takes no stack.
  else queueMicrotask(() => follow(value, then, fulfilled, rejected, isSelf));
}
