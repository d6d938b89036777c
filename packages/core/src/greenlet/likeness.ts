/** Properties that every function has of its own, and that say nothing of what it does. */
const ofEveryFunction = new Set<PropertyKey>(['prototype', 'arguments', 'caller']);

/**
 * Gives `fn` what `model` has: its length and name, and whatever else was put on it. Frameworks look at that:
 * Express tells error handlers by their four parameters.
 */
export function withLikeness<F extends object>(fn: F, model: object): F {
  for (const key of Reflect.ownKeys(model)) {
    if (ofEveryFunction.has(key)) continue;
    const property = Reflect.getOwnPropertyDescriptor(model, key);
    if (property) Reflect.defineProperty(fn, key, property);
  }
  return fn;
}
