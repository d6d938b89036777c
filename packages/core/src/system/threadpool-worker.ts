/** Runs in each thread of a ThreadPool. */
import { move, transferableSymbol, valueSymbol } from 'piscina';
import type { Failure, Outcome, Task } from './threadpool-task.js';

type Work = (...args: unknown[]) => unknown;

const bySource = new Map<string, Work>();

function compile(source: string): Work {
  const known = bySource.get(source);
  if (known) return known;
  const work = new Function(`return (${source});`)() as Work;
  bySource.set(source, work);
  return work;
}

async function find(work: Task['work']): Promise<Work> {
  if ('source' in work) return compile(work.source);
  const found: Record<string, unknown> = await import(work.module);
  const one = found[work.export] ?? (found.default as Record<string, unknown>)?.[work.export];
  if (typeof one !== 'function')
    throw Object.assign(new TypeError(`${work.module} has no function \`${work.export}\``), {
      code: 'ERR_THREADPOOL_NO_EXPORT',
    });
  return one as Work;
}

function describe(error: unknown, sent: boolean): Failure {
  const { name, message, code, stack } = error as Error & { code?: unknown };
  if (!(error instanceof Error))
    return { name: 'Error', message: String(error), code: undefined, stack: undefined };
  if (sent && error instanceof ReferenceError)
    return {
      name,
      message: `${message}. The function runs in another thread and sees only its arguments: pass what it needs, or use { module, export }`,
      code: 'ERR_THREADPOOL_NOT_SELF_CONTAINED',
      stack,
    };
  return { name, message, code, stack };
}

/** The memory of a result that can be handed over in place of copied. */
function movable(value: unknown): ArrayBuffer[] {
  if (value instanceof ArrayBuffer) return [value];
  // A small Buffer is a part of a pool that others use.
  const whole = ArrayBuffer.isView(value) && value.byteLength === value.buffer.byteLength;
  return whole && value.buffer instanceof ArrayBuffer ? [value.buffer] : [];
}

export default async function runTask({ work, args }: Task): Promise<unknown> {
  let outcome: Outcome;
  let memory: ArrayBuffer[] = [];
  try {
    const value = await (await find(work))(...args);
    memory = movable(value);
    outcome = { value };
  } catch (error) {
    outcome = { failure: describe(error, 'source' in work) };
  }
  return move({ [transferableSymbol]: memory, [valueSymbol]: outcome } as never);
}
