/** Programs of peers: whether they are here, and Go's, which are built first. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** True if the command ends well. */
export function works(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** What the pattern finds in what the command prints: a version. */
export const said = (pattern: RegExp, command: string, ...args: string[]): string | undefined =>
  pattern.exec(spawnSync(command, args, { encoding: 'utf8' }).stdout ?? '')?.[1];

/** Of a package of Node's that is installed. */
export function packageVersion(name: string): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    const root = entry.slice(0, entry.lastIndexOf(path.join('node_modules', name)));
    const manifest = path.join(root, 'node_modules', name, 'package.json');
    return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
  } catch {
    return undefined;
  }
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
