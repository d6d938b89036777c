/** Runs in each thread of a ThreadPool. */
import { MessagePort } from 'node:worker_threads';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { packThrown } from './threadpool-error.js';
import type { Outcome, Task } from './threadpool-task.js';

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

function failure(error: unknown, sent: boolean): Outcome {
  if (sent && error instanceof ReferenceError) {
    error.message +=
      '. The function runs in another thread and sees only its arguments: pass what it needs, or use { module, export }';
    Object.assign(error, { code: 'ERR_THREADPOOL_NOT_SELF_CONTAINED' });
  }
  const thrown = packThrown(error);
  if (thrown) return { thrown };
  return { stuck: 'thrown', why: `${shown(error)} could not be cloned.` };
}

function shown(value: unknown): string {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** The memory of a result that can be handed over in place of copied. */
function movable(value: unknown): ArrayBuffer[] {
  if (value instanceof ArrayBuffer) return [value];
  // A small Buffer is a part of a pool that others use.
  const whole = ArrayBuffer.isView(value) && value.byteLength === value.buffer.byteLength;
  return whole && value.buffer instanceof ArrayBuffer ? [value.buffer] : [];
}

/** What is about to be posted. */
const outcomes = new WeakSet<object>();

// Only the post itself tells whether a result can be cloned: to try before would be a second clone of all that
// work well. Piscina would end the thread here, and the error would say nothing of what was wrong.
const { postMessage } = MessagePort.prototype;
MessagePort.prototype.postMessage = function (this: MessagePort, message, transfer) {
  try {
    postMessage.call(this, message, transfer as never);
  } catch (error) {
    const outcome = (message as { result?: Outcome } | undefined)?.result;
    if (!outcome || !outcomes.has(outcome)) throw error;
    postMessage.call(this, { ...(message as object), result: instead(outcome, error) });
  }
};

function instead(outcome: Outcome, error: unknown): Outcome {
  try {
    // Memory that may not be handed over, of WebAssembly for one, is copied.
    return structuredClone(outcome);
  } catch {
    const isClone = error instanceof Error && error.name === 'DataCloneError';
    // A getter of the result that throws is the function's own failure.
    return isClone ? { stuck: 'returned', why: error.message } : failure(error, false);
  }
}

export default async function runTask({ work, args }: Task): Promise<unknown> {
  let outcome: Outcome;
  let memory: ArrayBuffer[] = [];
  try {
    const value = await (await find(work))(...args);
    memory = movable(value);
    outcome = { value };
  } catch (error) {
    outcome = failure(error, 'source' in work);
  }
  outcomes.add(outcome);
  return move({ [transferableSymbol]: memory, [valueSymbol]: outcome } as never);
}
