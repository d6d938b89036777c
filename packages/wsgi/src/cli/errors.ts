/** Why the command ends early; `exitCode` is what it ends with. */
import { inspect } from 'node:util';
import { TendrilError } from '@tendril/core';

/** Exit codes, as gunicorn has them where it has them. */
export const exitCode = { ok: 0, failure: 1, usage: 2, boot: 3 } as const;

/** Base of the errors that the command reports in one sentence. */
export class CommandError extends TendrilError {
  readonly exitCode: number;

  constructor(code: string, message: string, exit: number, options?: ErrorOptions) {
    super(code, message, options);
    this.exitCode = exit;
  }
}

/** The command line asks for something that does not exist or makes no sense. */
export class UsageError extends CommandError {
  constructor(message: string) {
    super('ERR_CLI_USAGE', message, exitCode.usage);
  }
}

/** The application cannot be loaded. `cause`, if there is one, is what its module threw. */
export class AppLoadError extends CommandError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_CLI_APP', message, exitCode.boot, options);
  }

  /** The sentence, and the error of the module with its stack. */
  get report(): string {
    return this.cause === undefined ? this.message : `${this.message}\n${inspect(this.cause)}`;
  }
}

/** A file, an address or something else that the command needs is not to be had. */
export class SetupError extends CommandError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_CLI_SETUP', message, exitCode.failure, options);
  }
}

/** Node's code of a system error, such as EADDRINUSE. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** The first line of an error's message. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0] ?? '';
}
