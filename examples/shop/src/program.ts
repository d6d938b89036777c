/** Program: one of the demonstration's processes, which says one line first and ends with its input. */
import { fileURLToPath } from 'node:url';
import { withTimeout } from '@tendril/core';
import { Popen } from '@tendril/core/subprocess';

/** It has said why itself. */
export class EndedEarly extends Error {
  readonly code = 'ERR_ENDED_EARLY';

  constructor() {
    super('a process of the demonstration has ended early');
  }
}

export class Program implements Disposable {
  readonly #child: Popen;
  /** What it said first. */
  readonly first: string;

  /** Starts a module of this folder. Parks until it has said its first line, unless it says none. */
  constructor(module: string, settings?: unknown, options: { silent?: boolean } = {}) {
    const file = fileURLToPath(new URL(`./${module}.js`, import.meta.url));
    const args = settings === undefined ? [file] : [file, JSON.stringify(settings)];
    this.#child = new Popen(process.execPath, args, { stderr: 'inherit' });
    this.first = options.silent ? '' : this.line();
  }

  /** The next line that it says. @throws EndedEarly when it has ended */
  line(): string {
    const line = this.#child.stdout?.readLine({ timeout: 60_000 });
    if (line === undefined) throw new EndedEarly();
    return line;
  }

  /** Says a line to it. */
  say(line: string): void {
    this.#child.stdin?.sendAll(`${line}\n`);
  }

  [Symbol.dispose](): void {
    this.#child.stdin?.end();
    withTimeout(3000, () => this.#child.wait(), { value: undefined });
    this.#child[Symbol.dispose](); // ends it, if it has not ended
  }
}
