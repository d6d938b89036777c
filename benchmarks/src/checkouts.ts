/** Ours: as it is in this checkout, and as it is in another one that it is compared with. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Checkout {
  /** Where the compiled benchmarks of that checkout are. */
  dist: string;
  /** What a contestant of ours is called there. */
  label(name: string): string;
}

/** What is measured. */
export interface Field {
  checkouts: readonly Checkout[];
  /** False: ours alone. */
  peers: boolean;
}

const here = path.dirname(fileURLToPath(import.meta.url));

/**
 * This checkout first, and then the one in the folder `against`.
 * @throws Error if nothing is built there
 */
export function checkouts(against?: string): Checkout[] {
  const found: Checkout[] = [{ dist: here, label: (name) => name }];
  if (against === undefined) return found;
  const root = path.resolve(against);
  const dist = path.join(root, 'benchmarks', 'dist');
  if (!existsSync(path.join(dist, 'main.js')))
    throw new Error(`${root} is no built checkout: run npm ci && npm run build there`);
  found.push({ dist, label: (name) => `${name} @ ${path.basename(root)}` });
  return found;
}
