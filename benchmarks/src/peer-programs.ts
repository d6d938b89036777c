/** Programs of peers: whether they are here, and Go's, which are built first. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** True if the command ends well. */
export function works(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** A Python that can import `module`. */
export function pythonWith(module: string): string | undefined {
  return ['/usr/bin/python3', 'python3'].find((one) => works(one, '-c', `import ${module}`));
}

let folder: string | undefined;

function buildFolder(): string {
  if (folder) return folder;
  const made = mkdtempSync(path.join(tmpdir(), 'tendril-bench-'));
  process.on('exit', () => rmSync(made, { recursive: true, force: true }));
  folder = made;
  return made;
}

/** Builds a program; undefined without Go. */
export function goProgram(source: string, name: string): string | undefined {
  if (!works('go', 'version')) return undefined;
  const binary = path.join(buildFolder(), name);
  return works('go', 'build', '-o', binary, source) ? binary : undefined;
}
