/** What runs commands. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import crossSpawn from 'cross-spawn';
import { execaSync } from 'execa';
import shell from 'shelljs';
import { attempt, type Cases, described } from '../case.js';

/** What a command of the shell has to say, and what the shell says of the last one. */
function said(result: shell.ShellString | null): unknown {
  return (
    result && {
      code: result.code,
      stdout: result.stdout,
      stderr: result.stderr,
      error: shell.error(),
    }
  );
}

const script =
  'cat; pwd > here; echo "to $USER_NUMBER" >&2; echo user $USER_NUMBER >> "$ALL"; exit $CODE';

/** For a child: numbers of its own, and the log of all. */
function variables(user: number, shared: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    USER_NUMBER: String(user),
    CODE: String(user % 3),
    ALL: path.join(shared, 'children.log'),
  };
}

export const cases: Cases = {
  shelljs: {
    prepare(shared) {
      shell.config.silent = true;
      shell.ShellString('common\n').to(path.join(shared, 'common.txt'));
      shell.mkdir('-p', path.join(shared, 'tree/a'), path.join(shared, 'tree/b'));
      shell.ShellString('in the tree\n').to(path.join(shared, 'tree/a/file'));
    },
    user(user, own, shared) {
      const at = (name: string) => path.join(own, name);
      const all = (name: string) => path.join(shared, name);
      const calls: Record<string, () => unknown> = {
        make: () => shell.mkdir('-p', at('dist/deep')),
        makeTwice: () => shell.mkdir(at('dist')),
        makeForAll: () => shell.mkdir('-p', all('made/by/all')),
        write: () => shell.ShellString(`version ${user}\nsecond\n`).to(at('dist/a.txt')),
        append: () => shell.ShellString(`user ${user}\n`).toEnd(all('shell.log')),
        copy: () => shell.cp('-r', at('dist'), at('copy')),
        copyOfAll: () => shell.cp('-r', all('tree'), at('tree')),
        edit: () => shell.sed('-i', 'version', 'release', at('copy/a.txt')),
        read: () => shell.cat(at('copy/a.txt'), all('common.txt')),
        search: () => shell.grep('release', at('copy/*.txt')),
        none: () => shell.cat(at('none'), at('neither')),
        move: () => shell.mv(at('copy/a.txt'), all(`moved-${user}`)),
        touch: () => shell.touch(at('touched')),
        remove: () => shell.rm('-rf', at('copy')),
        removeNone: () => shell.rm(at('none')),
        command: () => shell.cmd('sh', '-c', `echo out ${user}; echo err >&2; exit ${user % 3}`),
      };
      if (user % 10 === 0) calls.exec = () => shell.exec(`echo exec ${user}; exit ${user % 4}`);
      if (user % 10 === 1) calls.commandNone = () => shell.cmd('no-such-command', String(user));
      const results = Object.entries(calls).map(([name, call]) => [
        name,
        attempt(() => said(call() as shell.ShellString | null)),
      ]);
      return { ...Object.fromEntries(results), list: [...shell.ls('-R', own)] };
    },
  },

  'cross-spawn': {
    user(user, own, shared) {
      const input = `input ${user} ${'.'.repeat(user * 1000)}`;
      const env = variables(user, shared);
      const result = crossSpawn.sync('sh', ['-c', script], {
        env,
        input,
        cwd: own,
        encoding: 'utf8',
      });
      const errors = [
        () => crossSpawn.sync('no-such-command', [String(user)]),
        () => crossSpawn.sync('true', [], { cwd: path.join(own, 'none') }),
        () => crossSpawn.sync('yes', [String(user)], { maxBuffer: 1000, killSignal: 'SIGTERM' }),
      ];
      const { error, status } = errors[user % 10]?.() ?? {};
      return {
        result: { ...result, pid: undefined },
        written: readFileSync(path.join(own, 'here'), 'utf8'),
        failed: error && [status, described(error)],
      };
    },
  },

  execa: {
    user(user, own, shared) {
      const env = variables(user, shared);
      mkdirSync(path.join(own, 'folder'));
      writeFileSync(path.join(own, 'input'), `input ${user}\n`);
      const done = execaSync('sh', ['-c', script], {
        env,
        inputFile: path.join(own, 'input'),
        reject: false,
        stdout: ['pipe', { file: path.join(own, 'output') }],
        cwd: path.join(own, 'folder'),
      });
      const { exitCode, failed, stdout, stderr, command, cwd } = done;
      const others = [
        () => execaSync({ lines: true })`printf ${`a ${user}\nb\n`}`.stdout,
        () => execaSync('sh', ['-c', `echo no >&2; exit ${(user % 3) + 1}`]),
        () => execaSync('no-such-command', [String(user)]),
        () => execaSync('seq', ['1000'], { maxBuffer: 100 }),
        () => execaSync('sleep', ['60'], { timeout: 50 }),
      ];
      return {
        done: { exitCode, failed, stdout, stderr, command, cwd },
        output: existsSync(path.join(own, 'output')),
        // Of ten, half say one thing more, and each another.
        other: attempt(others[user % 10] ?? (() => {})),
      };
    },
  },
};
