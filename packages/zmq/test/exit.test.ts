import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

/** Runs a program with the package's names in scope; `ms` is from its last line to its end. */
function runProgram(body: string): { output: string; ms: number; status: number | null } {
  const source = `
    import { run, sleep, spawn } from '@tendril/core';
    import * as zmq from '@tendril/zmq';
    await run(() => { ${body} });
    process.stdout.write('@' + Date.now());`;
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', source],
    { cwd: import.meta.dirname, encoding: 'utf8', timeout: 60_000 },
  );
  const [output = '', ended] = stdout.split('@');
  assert.ok(ended, stderr);
  return { output, ms: Date.now() - Number(ended), status };
}

const unreachable = 'tcp://127.0.0.1:1';

const programs: [name: string, body: string, longest: number][] = [
  ['an idle socket', `new zmq.Pull().bind('tcp://127.0.0.1:*')`, 900],
  [
    'a closed socket with a receive that was pending',
    `const socket = new zmq.Pull();
     socket.bind('tcp://127.0.0.1:*');
     const waiting = spawn(() => { try { socket.receive(); } catch {} });
     sleep(10);
     socket.close();`,
    900,
  ],
  [
    'an open socket whose receive was killed',
    `const socket = new zmq.Pull();
     const waiting = spawn(() => socket.receive());
     sleep(10);
     waiting.kill();`,
    2200,
  ],
  [
    'messages that cannot go out, with the default linger',
    `const socket = new zmq.Push();
     socket.connect('${unreachable}');
     socket.send('x');
     socket.close();`,
    2500,
  ],
  [
    'messages that cannot go out, of a socket that is open',
    `globalThis.socket = new zmq.Dealer();
     socket.connect('${unreachable}');
     socket.send('x');`,
    2500,
  ],
  [
    'messages that cannot go out, with linger 0',
    `const socket = new zmq.Push({ linger: 0 });
     socket.connect('${unreachable}');
     socket.send('x');
     socket.close();`,
    900,
  ],
  [
    'a send that was killed',
    `const socket = new zmq.Push();
     const waiting = spawn(() => socket.send('x'));
     sleep(30);
     waiting.kill();`,
    900,
  ],
  [
    'an observer that was asked',
    `const socket = new zmq.Pull();
     const waiting = spawn(() => { for (const event of socket.events); });
     sleep(10);
     socket.close();`,
    900,
  ],
];

/** The machine may be slow at any time, but a process that waits for something waits each time. */
const attempts = 6;

for (const [name, body, longest] of programs) {
  test(`a process ends with ${name}`, () => {
    let ms = Number.POSITIVE_INFINITY;
    for (let n = 0; n < attempts && ms >= longest; n++) {
      const ended = runProgram(body);
      assert.equal(ended.status, 0);
      ms = Math.min(ms, ended.ms);
    }
    assert.ok(ms < longest, `${ms} ms`);
  });
}

test('what was sent before close() goes out although the process ends', () => {
  const { output } = runProgram(`
    const to = new zmq.Pull();
    to.bind('tcp://127.0.0.1:*');
    const from = new zmq.Push();
    from.connect(to.lastEndpoint);
    for (let i = 0; i < 100; i++) from.send(String(i));
    from.close();
    let last;
    for (let i = 0; i < 100; i++) [last] = to.receive();
    process.stdout.write(String(last));
    to.close();`);
  assert.equal(output, '99');
});
