/** The codes that this package throws, each with what was wrong and what to do. */
const messages = {
  ERR_FIBER_ADDON_SCOPE:
    'This fiber is inside a call of a native addon, and another one is parked inside a call of the same addon, or waits for this one in it. N-API ends the process where they do not end in the opposite order, so one at a time may be parked there: use a lock around the call.',
  ERR_FIBER_CALLBACK_SCOPE:
    'This fiber entered a callback scope (AsyncResource.runInAsyncScope, an event of a native addon) and cannot be suspended in it. Leave the scope first, or start a fiber of its own inside it.',
  ERR_FIBER_DONE: 'This fiber has ended and cannot run again. Create a new Fiber.',
  ERR_FIBER_EXITING: 'The process or worker is exiting: no fiber can be resumed any more.',
  ERR_FIBER_NO_MEMORY:
    'No stack could be allocated for a fiber. Let others end first, lower `stackSize`, or raise vm.max_map_count.',
  ERR_FIBER_PINNED:
    'This fiber is inside code of node:vm that runs under a `timeout` or `breakOnSigint`, and cannot be suspended there: when its time is up, Node ends whatever runs then. Leave these options out, and limit the call in another way.',
  ERR_FIBER_RUNNING:
    'This fiber is running, or waits for a fiber that it has resumed. Only a created or suspended fiber can be resumed.',
  ERR_FIBER_STACK_SIZE: '`stackSize` must be a number of bytes from 131072 to 67108864.',
  ERR_FIBER_UNSUPPORTED: 'Fibers cannot run here.',
  ERR_FIBER_UNWOUND:
    'Nothing can resume this fiber any more, so it is unwound: let this error pass, after clean-up.',
  ERR_INVALID_ARG_TYPE:
    'A Fiber is made of a function and options: new Fiber(fn, options?) with { stackSize?: number, name?: string }.',
  ERR_INVALID_THIS: 'This object is not a Fiber yet. Call super() before its methods.',
  ERR_NOT_IN_FIBER:
    'Fiber.suspend() was called outside a fiber. Call it from code that a fiber runs: new Fiber(fn).resume().',
} as const;

export type FiberErrorCode = keyof typeof messages;

/** Misuse of a fiber, or no room for one. The fiber's state is what it was before the call. */
export class FiberError extends Error {
  readonly code: FiberErrorCode;

  constructor(code: FiberErrorCode, detail?: string) {
    super(detail ? `${messages[code]} ${detail}` : messages[code]);
    this.code = code;
  }

  override get name(): string {
    return `FiberError [${this.code}]`;
  }
}

export const fiberErrorCodes = Object.keys(messages) as FiberErrorCode[];
