/** Runs the cases of a kind in a process of their own, and brings home all that can be compared. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { comparable, linesByUser, treeOf } from './leavings.js';

export type Mode = 'plain' | 'greenlets';

export type Outcome = { returned: unknown } | { threw: unknown };

/** What the parts of a case came to, and what nobody caught meanwhile. */
export interface Results {
  prepared: Outcome | undefined;
  users: Outcome[];
  finished: Outcome | undefined;
  uncaught: unknown[];
}

interface Used {
  /** There are none where the process has exited. */
  results: Results | undefined;
  /** What they have left in their folders. */
  tree: Record<string, unknown>;
}

export interface Harvest {
  libraries: Record<string, Used>;
  process: { code: number | null; signal: string | null; stdout: unknown; stderr: unknown };
}

const program = fileURLToPath(new URL('./program.js', import.meta.url));
/** It stands for "hangs", of the process as a whole. */
const limit = 600_000;

/** With `only`, the case of this name. */
export async function harvest(mode: Mode, kind: string, only?: string): Promise<Harvest> {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), `tendril-${kind}-`)));
  try {
    const flag =
      mode === 'greenlets'
        ? ['--import', import.meta.resolve('@tendril/core/monkey/register')]
        : [];
    const named = only === undefined ? [] : [only];
    const child = spawn(process.execPath, [...flag, program, mode, kind, root, ...named], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: limit,
      killSignal: 'SIGKILL',
    });
    const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve([code, signal]));
    });
    const [stdout, stderr, [code, signal]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      ended,
    ]);
    const file = path.join(root, 'results.json');
    const results: Record<string, Results> = existsSync(file)
      ? JSON.parse(readFileSync(file, 'utf8'))
      : {};
    const libraries: Record<string, Used> = {};
    for (const library of only === undefined ? Object.keys(results) : [only])
      libraries[library] = comparable(
        { results: results[library], tree: treeOf(path.join(root, library)) },
        root,
      );
    return {
      libraries,
      process: comparable(
        { code, signal, stdout: linesByUser(stdout), stderr: linesByUser(stderr) },
        root,
      ),
    };
  } finally {
    rmSync(root, { recursive: true });
  }
}
