/** Which bytes may stand where: tables that are looked at once per byte. */

function table(allowed: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (allowed(byte) ? 1 : 0));
}

const marks = "!#$%&'*+-.^_`|~";

const isAlphanumeric = (byte: number) => /[0-9A-Za-z]/.test(String.fromCharCode(byte));

/** `tchar` of RFC 9110, 5.6.2. */
export const tokenBytes = table(
  (byte) => isAlphanumeric(byte) || marks.includes(String.fromCharCode(byte)),
);

/** What may stand in a field value: HTAB, SP, VCHAR and obs-text (RFC 9110, 5.5). */
export const valueBytes = table((byte) => byte === 9 || (byte >= 0x20 && byte !== 0x7f));

/**
 * What may stand in a request target: visible ASCII without `#`, which begins a fragment and never
 * goes to a server (RFC 9112, 3.2). Clients send more than RFC 3986 allows, `|` and `{` for example;
 * that is the application's business.
 */
export const targetBytes = table((byte) => byte > 0x20 && byte < 0x7f && byte !== 0x23);

/** 0 to 15 for hexadecimal digits, 255 for all else. */
export const hexDigits = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return /[0-9A-Fa-f]/.test(character) ? Number.parseInt(character, 16) : 255;
});

export const byte = {
  tab: 9,
  lf: 10,
  cr: 13,
  space: 32,
  quote: 34,
  colon: 58,
  semicolon: 59,
  equals: 61,
  backslash: 92,
} as const;
