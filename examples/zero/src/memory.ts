/** How much memory processes hold, as the kernel counts it. */
import { existsSync, readFileSync } from 'node:fs';

function residentOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

function childrenOf(pid: number): number[] {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return list === '' ? [] : list.split(' ').map(Number);
}

/**
 * Bytes of resident memory of a process, and of its children if asked for; undefined where there is
 * no /proc (proc(5)).
 */
export function residentMemory(pid: number, withChildren: boolean): number | undefined {
  if (!existsSync('/proc/self/status')) return undefined;
  const pids = withChildren ? [pid, ...childrenOf(pid)] : [pid];
  return pids.reduce((sum, one) => sum + residentOf(one), 0);
}
