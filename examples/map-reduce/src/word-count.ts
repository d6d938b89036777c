/** The classic: how often each word stands in a number of files. */
import { readFileSync } from 'node:fs';
import type { Job } from './protocol.js';

export type Counts = Record<string, number>;

/** A part is a list of files. Files that cannot be read, or are no text, count nothing. */
export const wordCount: Job<string[], Counts, Map<string, number>> = {
  initial: () => new Map(),
  map(files) {
    const counts: Counts = Object.create(null) as Counts;
    for (const file of files)
      for (const [word] of readText(file).matchAll(/\p{L}+/gu)) {
        const key = word.toLowerCase();
        counts[key] = (counts[key] ?? 0) + 1;
      }
    return counts;
  },
  reduce(result, counts) {
    for (const [word, count] of Object.entries(counts))
      result.set(word, (result.get(word) ?? 0) + count);
    return result;
  },
};

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
