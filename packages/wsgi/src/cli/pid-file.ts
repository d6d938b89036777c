/** The file of `--pid`. */
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { codeOf, messageOf, SetupError } from './errors.js';

function pidIn(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim());
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/**
 * Writes the id of this process, unless another that is still running is there.
 * @returns how to remove it, which spares a successor's
 * @throws SetupError
 */
export function writePidFile(path: string): () => void {
  const before = pidIn(path);
  if (before !== undefined && before !== process.pid && isRunning(before))
    throw new SetupError(`Already running with pid ${before}, as ${path} says.`);
  try {
    writeFileSync(path, `${process.pid}\n`);
  } catch (error) {
    throw new SetupError(`The pid file cannot be written: ${messageOf(error)}.`, { cause: error });
  }
  return () => {
    if (pidIn(path) === process.pid) unlinkSync(path);
  };
}
