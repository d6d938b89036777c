/** Keeps the event loop going while somebody waits for what it does not know of. */

let holders = 0;
let timer: NodeJS.Timeout | undefined;

/** Milliseconds; the longest that a timer of Node can take is a little more. */
const longTime = 2 ** 30;

/** Returns how to let go, to be called once. */
export function keepAlive(): () => void {
  if (holders++ === 0) timer = setInterval(() => {}, longTime);
  return () => {
    if (--holders > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
