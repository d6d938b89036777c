import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn as spawnProcess } from 'node:child_process';
import { once } from 'node:events';
import readline from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sleep, spawn, wait } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import * as zmq from '@tendril/zmq';
import { inGreenlet, text } from './helpers.js';

const programs = fileURLToPath(new URL('../../../tools/programs.mjs', import.meta.url));
const script = fileURLToPath(new URL('../test/python-peer.py', import.meta.url));
let python = '';

/** A process of Python that binds a socket; parks until it has. */
class Peer {
  readonly process: ChildProcess;
  readonly lines: AsyncIterator<string>;
  readonly address: string;

  constructor(kind: 'rep' | 'pub' | 'pull' | 'push', port?: string) {
    this.process = spawnProcess(python, [script, kind, ...(port ? [port] : [])], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const input = this.process.stdout as NodeJS.ReadableStream;
    this.lines = readline.createInterface({ input })[Symbol.asyncIterator]();
    this.address = this.line();
  }

  line(): string {
    return wait(this.lines.next()).value as string;
  }

  [Symbol.dispose](): void {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.stdin?.end();
    wait(once(this.process, 'exit'));
  }
}

describe('with pyzmq on the other side', () => {
  before(() => {
    python = execFileSync(process.execPath, [programs, 'python3-zmq'], { encoding: 'utf8' }).trim();
  });
  after(() => checkLeaks());

  test(
    'REQ and REP, in several parts',
    inGreenlet(() => {
      using peer = new Peer('rep');
      using client = new zmq.Request({ linger: 0 });
      client.connect(peer.address);
      for (const question of ['one', 'zwölf', '']) {
        client.send([question, 'x']);
        assert.deepEqual(text(client.receive()), [question.replace(/[a-z]/g, upper), 'X']);
      }
    }),
  );

  test(
    'PUB and SUB',
    inGreenlet(() => {
      using peer = new Peer('pub');
      using subscriber = new zmq.Subscriber();
      subscriber.subscribe('odd');
      subscriber.connect(peer.address);
      for (let n = 1; n < 100; n += 2)
        assert.deepEqual(text(subscriber.receive()), ['odd', `${n}`]);
    }),
  );

  test(
    'PUSH and PULL, both ways',
    inGreenlet(() => {
      using source = new Peer('push');
      using sink = new Peer('pull');
      using to = new zmq.Pull();
      using from = new zmq.Push();
      to.connect(source.address);
      from.connect(sink.address);
      for (let n = 0; n < 1000; n++) {
        const message = to.receive();
        assert.deepEqual(message, [Buffer.from(`${n}`), Buffer.alloc(0), Buffer.from([0, 255])]);
        from.send(message);
      }
      assert.equal(sink.line(), 'all received');
    }),
  );

  test(
    'a peer that is killed and comes back is found again; its waiters can give up',
    inGreenlet(() => {
      const first = new Peer('rep');
      using client = new zmq.Dealer({ linger: 0, reconnectInterval: 20 });
      client.connect(first.address);
      const ask = (question: string) => {
        client.send(['', question]);
        return text(client.receive({ timeout: 20_000 }))[1];
      };
      assert.equal(ask('before'), 'BEFORE');
      first.process.kill('SIGKILL');
      wait(once(first.process, 'exit'));
      const waiting = spawn(() => client.receive());
      sleep(0);
      assert.equal(waiting.ready(), false);
      waiting.kill();
      using _second = new Peer('rep', first.address.split(':').at(-1));
      assert.equal(ask('after'), 'AFTER');
    }),
  );
});

function upper(letter: string): string {
  return letter.toUpperCase();
}
