/** TypeScript as users of @types/deasync have written it: that it compiles is the test. */
import deasync = require('@tendril/deasync');

function double(n: number, callback: (error: unknown, result?: number) => void): void {
  setTimeout(() => callback(null, n * 2), 1);
}

function use(): number {
  const result: number = deasync(double)(21);
  let done = false;
  setTimeout(() => {
    done = true;
  }, 1);
  deasync.loopWhile(() => !done);
  deasync.runLoopOnce();
  deasync.sleep(1);
  return result;
}

export = { use };
