/**
 * What is wrong outside the program, in a line: a service that does not answer, a folder or a module that is
 * not there. Undefined for a fault of the program's own, whose trace is wanted.
 */
export function troubleOutside(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errors } = error as Error & { code?: unknown; errors?: Error[] };
  if (typeof code !== 'string') return undefined;
  if (error instanceof TypeError && code !== 'ERR_INVALID_URL') return undefined;
  // Of several addresses that were tried each has its own words, and all together have none.
  const { message } = (error.message === '' && errors?.[0]) || error;
  return message.split('\n', 1)[0] || code;
}
