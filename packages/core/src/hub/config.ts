/** Settings of this thread, read when they matter: change them at any time. */
export const config = {
  /** True: an error that nobody collects ends the process, as an uncaught exception. */
  crashOnError: false,
};
