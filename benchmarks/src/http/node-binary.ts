/** The Node that every contestant of Node's runs on. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface NodeBinary {
  path: string;
  version: string;
}

/** @throws Error if the other Node versions of this repository are not installed */
export function nodeBinary(major: string | undefined): NodeBinary {
  if (major === undefined || major === process.versions.node.split('.')[0])
    return { path: process.execPath, version: process.versions.node };
  const path = fileURLToPath(
    new URL(`../../../tools/nodes/node_modules/node${major}/bin/node`, import.meta.url),
  );
  const { stdout, status } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`no Node ${major} in tools/nodes: npm test installs it there`);
  return { path, version: stdout.trim().slice(1) };
}
