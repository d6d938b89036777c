/** Programs in files of their own, run by the Node that runs the tests. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

export const register = import.meta.resolve('@tendril/core/monkey/register');
export const tendril = fileURLToPath(new URL('./cli.js', register));

/** Writes files into a folder that goes when the tests are over. */
export function programs(files: Record<string, string>): (name: string) => string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tendril-program-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  return (name) => path.join(folder, name);
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Every call of fs parks there: programs find by it whether they are in a greenlet. */
const env = { ...process.env, TENDRIL_FS_PARK: 'all' };

/** A process with its output gathered. */
export function start(
  args: string[],
  options: SpawnOptions & { input?: string } = {},
): { child: ChildProcess; ended: Promise<Ended>; said: (text: string) => Promise<void> } {
  const child = spawn(process.execPath, args, { stdio: 'pipe', env, ...options });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  child.stdin?.end(options.input);
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...output }));
  const said = async (text: string) => {
    while (!output.stdout.includes(text)) await once(child.stdout as NodeJS.ReadableStream, 'data');
  };
  return { child, ended, said };
}

/** Runs it under the flag, to its end. */
export function withFlag(args: string[], options?: SpawnOptions & { input?: string }) {
  return start(['--import', register, ...args], options).ended;
}
