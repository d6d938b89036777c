/** The `hosts:` line of nsswitch.conf, text in and structure out (nsswitch.conf(5)). */

export type Status = 'success' | 'notfound' | 'unavail' | 'tryagain';
export type Action = 'return' | 'continue';

export interface Source {
  readonly name: 'files' | 'dns' | 'myhostname';
  /** What to do after each status. */
  readonly actions: Readonly<Record<Status, Action>>;
}

const defaults: Record<Status, Action> = {
  success: 'return',
  notfound: 'continue',
  unavail: 'continue',
  tryagain: 'continue',
};

/** systemd-resolved answers what the name servers would. */
const known: Record<string, Source['name']> = {
  files: 'files',
  dns: 'dns',
  resolve: 'dns',
  myhostname: 'myhostname',
};

function applyActions(actions: Record<Status, Action>, text: string): void {
  for (const [, not, status, action] of text.matchAll(/(!?)(\w+)\s*=\s*(\w+)/g)) {
    const verb = action?.toLowerCase();
    if (verb !== 'return' && verb !== 'continue') continue;
    for (const one of Object.keys(defaults) as Status[])
      if ((one === status?.toLowerCase()) !== (not === '!')) actions[one] = verb;
  }
}

/**
 * Sources in their order. Those that are not known here (mdns, winbind and so on) are left out together
 * with their actions, as if they were not available. Without a usable line: `files dns`.
 */
export function parseNsswitch(text: string): Source[] {
  const line = text
    .split('\n')
    .map((one) => (one.split('#', 1)[0] ?? '').trim())
    .find((one) => /^hosts\s*:/i.test(one));
  const sources: Source[] = [];
  for (const [, name, brackets] of (line ?? '')
    .replace(/^hosts\s*:/i, '')
    .matchAll(/([^\s[\]]+)\s*((?:\[[^\]]*\]\s*)*)/g)) {
    const source = known[name?.toLowerCase() ?? ''];
    if (!source || sources.some((other) => other.name === source)) continue;
    const actions = { ...defaults };
    applyActions(actions, brackets ?? '');
    sources.push({ name: source, actions });
  }
  return sources.length > 0 ? sources : parseNsswitch('hosts: files dns');
}
