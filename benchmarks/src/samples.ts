/** Values as they come, figure by figure and contestant by contestant. */
import { median } from './measure.js';
import type { Result } from './output.js';

export class Samples {
  readonly #figures = new Map<string, Map<string, number[]>>();

  note(figure: string, contestant: string, value: number): void {
    const rows = this.#figures.get(figure) ?? new Map<string, number[]>();
    this.#figures.set(figure, rows);
    rows.set(contestant, [...(rows.get(contestant) ?? []), value]);
  }

  results(): Result[] {
    return [...this.#figures].flatMap(([figure, rows]) =>
      [...rows].map(([contestant, values]) => ({
        figure,
        contestant,
        median: median(values),
        min: Math.min(...values),
        max: Math.max(...values),
      })),
    );
  }
}
