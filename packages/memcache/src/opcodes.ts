/** Commands of the binary protocol, those that this package sends. */
export const opcodes = {
  get: 0x00,
  set: 0x01,
  add: 0x02,
  replace: 0x03,
  delete: 0x04,
  increment: 0x05,
  decrement: 0x06,
  quit: 0x07,
  flush: 0x08,
  noop: 0x0a,
  version: 0x0b,
  /** Answers with the key, and not at all for a miss. */
  getkq: 0x0d,
  append: 0x0e,
  prepend: 0x0f,
  stat: 0x10,
  touch: 0x1c,
  sasl: 0x21,
} as const;
