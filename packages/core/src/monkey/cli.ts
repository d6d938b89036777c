#!/usr/bin/env node
/**
 * The command `tendril`: `node --import @tendril/core/monkey/register`, in fewer words.
 *
 * Where this Node can, it becomes that process (execve(2)), so there is one, with one pid, exit code
 * and terminal. Elsewhere that process is a child, whose signals and end are passed on.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

const help = `usage: tendril [node options] program.js [arguments]

Runs a program whose blocking calls (fs, child_process, crypto, zlib, dns, Atomics.wait) block only
the greenlet that makes them: the program itself, and each request of its HTTP servers. The same as
  node --import @tendril/core/monkey/register [node options] program.js [arguments]

  -h, --help     this text
  -v, --version  the versions of @tendril/core and of Node
  Every other option is Node's: see node --help.
`;

/** Node's own for options that it does not know. */
const badOption = 9;

/** What a terminal sends to the child, too. */
const fromTerminal = new Set<NodeJS.Signals>(['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGWINCH']);
const passedOn: NodeJS.Signals[] = [
  ...fromTerminal,
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGCONT',
  'SIGPIPE',
  'SIGALRM',
];

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return `tendril ${(JSON.parse(manifest) as { version: string }).version} (Node.js ${process.version})\n`;
}

/** Newer than the types, and not on Windows. */
type Execve = (file: string, args: string[], env: NodeJS.ProcessEnv) => never;

function become(args: string[]): void {
  const { execve } = process as { execve?: Execve };
  if (execve && process.platform !== 'win32')
    execve.call(process, process.execPath, [process.execPath, ...args], process.env);
  else runChild(args);
}

function runChild(args: string[]): void {
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  const onTerminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
  for (const signal of passedOn)
    if (signal in constants.signals)
      process.on(signal, () => {
        if (!onTerminal || !fromTerminal.has(signal)) child.kill(signal);
      });
  child.on('exit', (code, signal) => {
    if (signal) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
    process.exitCode = code ?? undefined;
  });
}

/** The first option that is ours, before the program's name. */
function ownOption(args: string[]): string | undefined {
  const end = args.findIndex((arg) => !arg.startsWith('-') || arg === '-' || arg === '--');
  const options = end < 0 ? args : args.slice(0, end);
  return options.find((arg) => ['-h', '--help', '-v', '--version'].includes(arg));
}

const args = process.argv.slice(2);
const option = ownOption(args);
if (option === '-h' || option === '--help') process.stdout.write(help);
else if (option) process.stdout.write(version());
else if (args.length === 0) {
  process.stderr.write(help);
  process.exitCode = badOption;
} else {
  become([
    ...process.execArgv,
    '--import',
    new URL('./register.js', import.meta.url).href,
    ...args,
  ]);
}
