/** Who parks in what is patched, told for those who look for it. */
import { callFromOutside, isOwnFrame, limitTraces } from '../own-code.js';

const framesOfTrace = 30;

/** The frames of the caller, of whatever depth, without ours. */
function callers(): string[] {
  const limit = limitTraces(framesOfTrace);
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, callers);
  limitTraces(limit);
  const lines = String(holder.stack).split('\n').slice(1);
  return lines.filter((line) => !isOwnFrame(line));
}

const told = new Set<string>();

/** TENDRIL_TRACE_PARKS=1: each place where a patched call parks is printed, once. */
export const isTracing = ['1', 'true'].includes(process.env.TENDRIL_TRACE_PARKS ?? '');

export function tellOfPark(above: (...args: never[]) => unknown): void {
  const called = callFromOutside(above as never) ?? 'a patched function';
  const frames = callers();
  const place = `${called}${frames.find((line) => !line.includes('(node:'))}`;
  if (told.has(place)) return;
  told.add(place);
  process.stderr.write(`tendril: ${called} parks\n${frames.join('\n')}\n`);
}
