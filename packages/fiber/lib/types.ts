/** The public shapes of @tendril/fiber. */

export interface FiberOptions {
  /**
   * Bytes of address space for the stack: 131,072 to 67,108,864, by default TENDRIL_STACK_SIZE or 8 MiB. Of 8 MiB
   * JavaScript gets 984 KiB, as on the main stack, of less nearly all, and of more, what is more. The rest is
   * for native code, which does not look at the limit: V8's compiler of regular expressions, addons.
   */
  stackSize?: number;
  /** Shown by tools; has no other effect. */
  name?: string;
}

export type FiberState = 'created' | 'running' | 'suspended' | 'done';

/**
 * A stackful coroutine: its function can stop anywhere, however deep in calls, and go on later.
 *
 * Errors that its function throws come out of the `resume`, `throw` or `transfer` that was running
 * it, unchanged. Misuse throws {@link FiberError} and changes nothing.
 */
export interface Fiber<R = unknown> {
  /**
   * Runs the fiber until it suspends or ends. Returns what it passes to `Fiber.suspend`, or what its
   * function returns. `value` is the function's first argument, later what `suspend` returns.
   * @throws FiberError ERR_FIBER_RUNNING, ERR_FIBER_DONE, ERR_FIBER_NO_MEMORY
   */
  resume(value?: unknown): R | unknown;
  /**
   * Like {@link resume}, but `Fiber.suspend` throws `error` in the fiber. A fiber that has not
   * started ends at once, and the error comes out here.
   */
  throw(error: unknown): unknown;
  /**
   * Switches from the running fiber straight to this one, as greenlet's `switch()`: the caller is
   * suspended, and whoever resumed it will get control back from this fiber. From outside a fiber it
   * is {@link resume}.
   */
  transfer(value?: unknown): unknown;
  readonly state: FiberState;
  readonly name: string | undefined;
}

export interface FiberConstructor {
  /** `fn` gets the first value given to `resume`. Nothing runs, and no stack is taken, before that. */
  new <R = unknown>(fn: (first?: unknown) => R, options?: FiberOptions): Fiber<R>;
  readonly prototype: Fiber;
  /** The fiber whose code runs now; undefined on the main stack. */
  readonly current: Fiber | undefined;
  /**
   * Parks the running fiber, with every frame on its stack. `value` goes to the resumer; the result
   * is what the next `resume` passes.
   * @throws FiberError ERR_NOT_IN_FIBER outside a fiber; ERR_FIBER_CALLBACK_SCOPE, ERR_FIBER_PINNED or
   *   ERR_FIBER_ADDON_SCOPE inside something that must end on this stack
   */
  suspend(value?: unknown): unknown;
}

export interface FiberStatistics {
  /** Fibers that have a stack: running or suspended. */
  live: number;
  /** Stacks that are ready for the next fiber. */
  pooled: number;
  /** Stacks ever made in this thread. */
  created: number;
  /** Address space of all stacks, in bytes. What is resident is only what was touched. */
  stackBytes: number;
}

export interface FiberSupport {
  supported: boolean;
  /** Why not, and what to do about it. */
  reason?: string;
  engine: 'stack' | 'thread' | 'none';
}
