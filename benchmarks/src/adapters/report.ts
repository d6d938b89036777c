/** What a client says at its end, in a line of JSON. */

export interface Report {
  /** Nanoseconds of the client's processor time per question. */
  processor: number;
  /** Answers per second. */
  rate: number;
  /** Milliseconds from question to answer, of the slowest hundredth. */
  p99: number;
}

/** It cannot take part, for this reason. */
export interface Absence {
  absent: string;
}

const figures = ['processor', 'rate', 'p99'] as const;

/** @throws Error if that is no report */
export function parseReport(output: string): Report | Absence {
  const line = output.trim().split('\n').at(-1) ?? '';
  let said: Record<string, unknown>;
  try {
    said = Object(JSON.parse(line));
  } catch {
    throw new Error(`no report: ${line.slice(0, 200) || 'no output'}`);
  }
  if (typeof said.absent === 'string') return { absent: said.absent };
  for (const name of figures) {
    const value = said[name];
    if (!(typeof value === 'number' && value > 0 && Number.isFinite(value)))
      throw new Error(`no ${name} in the report: ${line.slice(0, 200)}`);
  }
  return said as unknown as Report;
}

/** The value below which that part of them is; NaN of none. */
export function quantile(values: number[], part: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
