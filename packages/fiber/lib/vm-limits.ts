/**
 * Code of node:vm that runs under a `timeout`, or until SIGINT (`breakOnSigint`).
 *
 * When its time is up Node terminates whatever JavaScript runs in this thread: were a fiber parked inside such a
 * call, that would be a bystander, and the termination would go out through its resumer and end the process. So a
 * fiber is pinned to its stack from the beginning to the end of such a call.
 */
import vm from 'node:vm';

interface Limits {
  timeout?: unknown;
  breakOnSigint?: unknown;
}

type Method = (...args: unknown[]) => unknown;

/** Of this thread, that are under way. */
let limitedCalls = 0;

interface Pins {
  getPins(): number;
  setPins(pins: number): void;
}

/** Pins who calls `method` with a limit, which is in its `at`th argument, for as long as that call takes. */
function pinning(owner: object | undefined, method: string, at: number, pins: Pins): void {
  const original: unknown = owner && Reflect.get(owner, method);
  if (!owner || typeof original !== 'function') return;
  const pinned = {
    [method](this: unknown, ...args: unknown[]) {
      const limits = args[at] as Limits | undefined | null;
      if (!limits?.timeout && !limits?.breakOnSigint) return Reflect.apply(original, this, args);
      const [before, open] = [pins.getPins(), limitedCalls];
      pins.setPins(before + 1);
      limitedCalls++;
      try {
        return Reflect.apply(original, this, args);
      } finally {
        // Set and not counted down: a termination may have passed the `finally` of a call within.
        pins.setPins(before);
        limitedCalls = open;
      }
    },
  }[method] as Method;
  Object.defineProperty(pinned, 'length', { value: original.length, configurable: true });
  // Left as it is where somebody has frozen it.
  Reflect.set(owner, method, pinned);
}

/**
 * Pins those who call what is limited; all other functions of node:vm come to these. Returns what says whether
 * who runs now is pinned.
 */
export function watchLimits(pins: Pins): () => boolean {
  pinning(vm.Script.prototype, 'runInThisContext', 0, pins);
  pinning(vm.Script.prototype, 'runInContext', 1, pins);
  // With --experimental-vm-modules: what it does before its first `await` is under the limit.
  const { SourceTextModule } = vm as { SourceTextModule?: { prototype: object } };
  if (SourceTextModule)
    pinning(Object.getPrototypeOf(SourceTextModule.prototype) as object, 'evaluate', 0, pins);
  return () => limitedCalls > 0 && pins.getPins() > 0;
}
