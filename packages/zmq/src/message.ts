/** What can be sent, checked before the driver would turn it into "[object Object]". */
import { InvalidArgumentError } from '@tendril/core';
import type { MessageLike } from 'zeromq';

const expected = 'a string, number, null, Buffer or view, or a list of them that is not empty';

function isPart(part: unknown): boolean {
  switch (typeof part) {
    case 'string':
    case 'number':
      return true;
    case 'object':
      return part === null || ArrayBuffer.isView(part) || part instanceof ArrayBuffer;
    default:
      return false;
  }
}

/** @throws InvalidArgumentError */
export function checkMessage(message: unknown): asserts message is MessageLike | MessageLike[] {
  if (Array.isArray(message) ? message.length > 0 && message.every(isPart) : isPart(message))
    return;
  throw new InvalidArgumentError('message', expected, message);
}
