/** /etc/services, text in and structure out (services(5)). */

/** Ports by `name/protocol`, names and aliases as written. */
export function parseServices(text: string): Map<string, number> {
  const ports = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [name, where, ...aliases] = (line.split('#', 1)[0] ?? '').split(/\s+/).filter(Boolean);
    const match = /^(\d{1,5})\/(\w+)$/.exec(where ?? '');
    if (!name || !match) continue;
    const port = Number(match[1]);
    if (port > 65_535) continue;
    for (const one of [name, ...aliases]) {
      const key = `${one}/${match[2]}`;
      if (!ports.has(key)) ports.set(key, port);
    }
  }
  return ports;
}
