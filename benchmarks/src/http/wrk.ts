/** wrk: as many requests as it gets answers to. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runLoad } from './commands.js';

export interface WrkReport {
  /** Answers per second. */
  rate: number;
  /** Milliseconds from request to answer. */
  p99: number;
  errors: { connect: number; read: number; write: number; timeout: number; status: number };
}

const scripts = fileURLToPath(new URL('../../peers/wrk/', import.meta.url));
const milliseconds: Record<string, number> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

export function parseWrk(output: string): WrkReport {
  const numberAt = (pattern: RegExp) => Number(pattern.exec(output)?.[1] ?? 0);
  const rate = numberAt(/^Requests\/sec:\s+([\d.]+)/m);
  const [, amount, unit = ''] = /^ +99% +([\d.]+)(us|ms|s|m|h) *$/m.exec(output) ?? [];
  if (!(rate > 0) || amount === undefined)
    throw new Error(`wrk got no answers: ${output.trim().split('\n').at(-1)}`);
  return {
    rate,
    p99: Number(amount) * (milliseconds[unit] ?? Number.NaN),
    errors: {
      connect: numberAt(/Socket errors: connect (\d+)/),
      read: numberAt(/Socket errors:.* read (\d+)/),
      write: numberAt(/Socket errors:.* write (\d+)/),
      timeout: numberAt(/Socket errors:.* timeout (\d+)/),
      status: numberAt(/Non-2xx or 3xx responses: (\d+)/),
    },
  };
}

export interface WrkLoad {
  url: string;
  connections: number;
  /** Whole seconds, 1 or more. */
  seconds: number;
  /** In peers/wrk. */
  script?: string | undefined;
}

export async function wrk({ url, connections, seconds, script }: WrkLoad): Promise<WrkReport> {
  const scripted = script ? ['-s', path.join(scripts, script)] : [];
  const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', ...scripted];
  return parseWrk(await runLoad(['wrk', ...options, url]));
}
