/** The Date header (RFC 9110, 6.6.1), made once a second. */

let second = 0;
let line = '';

/** `Date: Tue, 15 Nov 1994 08:12:31 GMT` with its line end. */
export function dateLine(): string {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    line = `Date: ${new Date(now * 1000).toUTCString()}\r\n`;
  }
  return line;
}
