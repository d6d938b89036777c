/**
 * Whether the process, or the worker thread, is going away: from `process.exit()` on nothing goes on but
 * the listeners of `exit`. Where a greenlet called it they run on its stack, and one that parked there
 * would let everybody else run, who in plain Node would never have.
 *
 * Node says so by `process._exiting`, before the first listener. Its setter is taken, because each park
 * asks: the getter costs a few per cent of a switch, and an `exit` listener of ours might come late.
 */

let leaving = false;

const exiting = Object.getOwnPropertyDescriptor(process, '_exiting');
if (exiting?.set && exiting.configurable) {
  const { set } = exiting;
  Object.defineProperty(process, '_exiting', {
    ...exiting,
    set(value: unknown) {
      leaving = value === true;
      set.call(process, value);
    },
  });
}

export function isLeaving(): boolean {
  return leaving;
}

/**
 * The event loop turns: nobody leaves. A listener that throws stops an exit, and one of
 * `uncaughtException` may keep the process then.
 */
export function stay(): void {
  leaving = false;
}
