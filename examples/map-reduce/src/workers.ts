/** Workers: the processes that map. */
import { fileURLToPath } from 'node:url';
import { withTimeout } from '@tendril/core';
import { Popen } from '@tendril/core/subprocess';

const worker = fileURLToPath(new URL('./worker.js', import.meta.url));

export class Workers implements Disposable {
  readonly #children: Popen[];

  constructor(count: number, address: string) {
    const options = { stdout: 'inherit', stderr: 'inherit' } as const;
    this.#children = Array.from(
      { length: count },
      () => new Popen(process.execPath, [worker, address], options),
    );
  }

  get pids(): number[] {
    return this.#children.map(({ pid }) => pid);
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) child.stdin?.end();
    for (const child of this.#children) {
      withTimeout(2000, () => child.wait(), { value: undefined });
      child[Symbol.dispose](); // ends it, if it has not ended
    }
  }
}
