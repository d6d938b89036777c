import { checkStackSize } from './stack-size.js';

let stackSize: number | undefined;

/** Settings of this thread, read when they matter: change them at any time. */
export const config = {
  /** True: an error that nobody collects ends the process, as an uncaught exception. */
  crashOnError: false,
  /**
   * Who resolves names: `ares` (the default), `thread`, `blocking`, or a resolver object. Undefined:
   * the environment's TENDRIL_RESOLVER.
   */
  resolver: undefined as 'ares' | 'thread' | 'blocking' | object | undefined,
  /**
   * The stack of each greenlet that starts from now on, in bytes of address space: 131,072 to 67,108,864. Up to
   * 8 MiB JavaScript gets 984 KiB of it, as on the main stack, and of what is more, all; the rest is for native
   * code. Resident is only what is touched. Undefined: the environment's TENDRIL_STACK_SIZE, or 8 MiB.
   * `greenlet.stackSize` is for one alone.
   *
   * Setting it throws FiberError ERR_FIBER_STACK_SIZE for a size that no stack can have.
   */
  get stackSize(): number | undefined {
    return stackSize;
  },
  set stackSize(bytes: number | undefined) {
    checkStackSize(bytes);
    stackSize = bytes;
  },
};
