/** Where two values of JSON differ, by path. */

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

/** One line for each difference: `users.3.returned: "b", in plain Node "a"`. */
export function differences(plain: unknown, other: unknown, at: string[] = []): string[] {
  if (isObject(plain) && isObject(other)) {
    const keys = new Set([...Object.keys(plain), ...Object.keys(other)]);
    return [...keys].flatMap((key) => differences(plain[key], other[key], [...at, key]));
  }
  if (plain === other) return [];
  return [`${at.join('.')}: ${brief(other)}, in plain Node ${brief(plain)}`];
}
