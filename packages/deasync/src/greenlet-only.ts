/** What all of deasync needs: a greenlet to park. */
import { getCurrent, NotInGreenletError } from '@tendril/core';

/** A call of deasync where there is no greenlet. Nothing has been started. */
class OutsideError extends NotInGreenletError {
  constructor(what: string) {
    super(what, true);
    this.name = 'NotInGreenletError';
    this.message +=
      ' A CommonJS program runs in one as a whole by `node --import @tendril/core/monkey/register app.js`.';
    Error.captureStackTrace(this, checkGreenlet);
  }
}

/** @throws NotInGreenletError (ERR_NOT_IN_GREENLET), which says how to start */
export function checkGreenlet(what: string): void {
  if (!getCurrent()) throw new OutsideError(what);
}
