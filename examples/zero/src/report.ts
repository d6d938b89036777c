/** What the rounds have shown, for people. */
import { type Round, waits } from './round.js';

const bytes = (value: number | undefined) =>
  value === undefined ? '–' : `${Math.round(value / 1024 / 1024)} MB`;
const kilobytes = (value: number) => `${(value / 1024).toFixed(0)} KB`;
const seconds = (value: number | undefined) =>
  value === undefined ? '–' : `${(value / 1000).toFixed(1)} s`;
export const perSecond = (value: number) => value.toFixed(value < 100 ? 1 : 0);

/** Bytes that each request in flight took: what the server held more than at rest, garbage included. */
export function memoryPerRequest(
  { idle, usual, peak }: Round,
  clients: number,
): { usual: number; peak: number } | undefined {
  if (idle === undefined || usual === undefined || peak === undefined) return undefined;
  return { usual: (usual - idle) / clients, peak: (peak - idle) / clients };
}

export function preface(): string {
  const { command, sleep, upstream } = waits;
  const sum = command + sleep + upstream;
  return [
    `A page waits ${sum} ms: ${command} in a command of the shell (execSync), ${sleep} asleep (Atomics.wait),`,
    `${upstream} for a server (a thread fetches, Atomics.wait). It reads a file (readFileSync) and makes 500`,
    'rounds of PBKDF2 (pbkdf2Sync): with the start of the command, some milliseconds of a processor.',
  ].join('\n');
}

export function asTable(rounds: Round[], clients: number): string {
  const base = rounds[0]?.rate || Number.NaN;
  const rows = rounds.map((round) => [
    round.name,
    perSecond(round.rate),
    `${perSecond(round.rate / base)} x`,
    seconds(round.median),
    seconds(round.slowest),
    bytes(round.idle),
    bytes(round.peak),
  ]);
  const head = ['', 'pages/s', 'of plain', 'median', 'slowest', 'memory idle', 'at the most'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = [head, ...rows].map((row) =>
    row
      .map((cell, column) => cell[column === 0 ? 'padEnd' : 'padStart'](widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  lines.push('', 'Times are of the pages that were answered.');
  const last = rounds.at(-1);
  const each = last && memoryPerRequest(last, clients);
  if (each !== undefined)
    lines.push(
      `${last?.name}: ${kilobytes(each.usual)} more for each request in flight, ${kilobytes(each.peak)} at the most`,
    );
  return lines.join('\n');
}
