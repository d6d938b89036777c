import { Fiber } from '@tendril/fiber';

/** @throws FiberError ERR_FIBER_STACK_SIZE for a size that no stack can have */
export function checkStackSize(bytes: number | undefined): void {
  // Takes no stack before it is resumed, which it never is.
  if (bytes !== undefined) new Fiber(() => {}, { stackSize: bytes });
}
