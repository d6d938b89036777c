/** How programs are run here: on a processor of their own, with enough files, and to their end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { works } from '../peer-programs.js';

/** The server has one processor and the load another, where there are two. */
export const canPin = works('taskset', '-c', '1', 'true');
const processors = { server: '0', load: '1' };

// Each connection is a file; shells allow 1,024 of them by default. No more than that is needed either:
// uWSGI makes a table of all that it may open.
const raise = 'ulimit -n 16384 2>/dev/null; exec "$@"';

export function placed(role: keyof typeof processors, command: string[]): [string, string[]] {
  const pin = canPin ? ['taskset', '-c', processors[role]] : [];
  return ['sh', ['-c', raise, 'sh', ...pin, ...command]];
}

const loads = new Set<ChildProcess>();
process.once('exit', () => {
  for (const load of loads) load.kill('SIGKILL');
});

/** What a load generator prints. @throws Error if it fails or takes more than `limit` ms */
export async function runLoad(command: string[], limit = 120_000): Promise<string> {
  const child = spawn(...placed('load', command), {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limit,
    killSignal: 'SIGKILL',
  });
  loads.add(child);
  const [output, errors, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  loads.delete(child);
  if (code === 0) return output;
  const lastWords = errors.trim().split('\n').at(-1) || output.trim().split('\n').at(-1);
  throw new Error(`${command[0]} ended with ${code ?? signal}: ${lastWords}`);
}
