/** Settings of this thread, read when they matter: change them at any time. */
export const config = {
  /** True: an error that nobody collects ends the process, as an uncaught exception. */
  crashOnError: false,
  /**
   * Who resolves names: `ares` (the default), `thread`, `blocking`, or a resolver object. Undefined:
   * the environment's TENDRIL_RESOLVER.
   */
  resolver: undefined as 'ares' | 'thread' | 'blocking' | object | undefined,
};
