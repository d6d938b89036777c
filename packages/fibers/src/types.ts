/** The public shapes of node-fibers, as @types/fibers names them. */

// biome-ignore lint/suspicious/noExplicitAny: what goes in and out of a fiber is its user's business
type Any = any;

/** What comes out of a fiber can be of any type, and callers of node-fibers never had to say which. */
export type Passed = Any;

export interface Fiber {
  /** False before the first run() and after the end; then run() starts the function anew. */
  readonly started: boolean;
  /**
   * Starts or continues the fiber, on top of the caller. `param` is the function's only argument,
   * later what `Fiber.yield` returns. Returns what the fiber yields or returns; undefined when it goes
   * into a blocking call of Tendril, after which it continues by itself.
   * @throws Error if it is already running, TypeError for more than one argument, RangeError if no
   *   stack could be had, and what the function throws
   */
  run(param?: Passed): Passed;
  /**
   * Unwinds a fiber that yields: each yield throws in it, until it has ended. Returns what its function
   * returns after all. Does nothing to one that has not started.
   */
  reset(): Passed;
  /** Like {@link run}, but `Fiber.yield` throws `exception`. */
  throwInto(exception?: Passed): Passed;
}

export interface FiberConstructor {
  /** Makes a fiber that will run `fn`. Calling it without `new` is the same. */
  new (fn: (...args: Passed[]) => Passed): Fiber;
  (fn: (...args: Passed[]) => Passed): Fiber;
  readonly prototype: Fiber;
  /** The fiber whose code runs now. */
  readonly current: Fiber | undefined;
  /** Kept for programs that set it. Stacks are pooled by their use: the number has no effect. */
  poolSize: number;
  /**
   * Bytes of address space for the stacks of fibers that start from now on; undefined is the engine's
   * default, TENDRIL_STACK_SIZE or 8 MiB. node-fibers has 1 MiB. Only stacks of the default size are pooled.
   * @throws FiberError ERR_FIBER_STACK_SIZE
   */
  stackSize: number | undefined;
  /** How many stacks were ever made in this thread. */
  readonly fibersCreated: number;
  /**
   * Stops the current fiber; `run` returns `value`. Returns what the next `run` passes.
   * @throws Error outside a fiber, TypeError for more than one argument
   */
  yield(value?: Passed): Passed;
}
