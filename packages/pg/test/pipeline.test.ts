import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { sleep, spawn } from '@tendril/core';
import type { Client, types } from '@tendril/pg';
import { useServer, withClient } from './helpers.js';

type Written = (error?: Error | null) => void;

/** Counts how often it writes. */
class CountingSocket extends Socket {
  static last: CountingSocket;
  writes = 0;

  constructor() {
    super();
    CountingSocket.last = this;
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: Written): void {
    this.writes++;
    super._write(chunk, encoding, done);
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], done: Written): void {
    this.writes++;
    // What net.Socket has, and the types of streams leave open.
    (super._writev as (chunks: object[], done: Written) => void)(chunks, done);
  }
}

const text = 'SELECT $1::int AS n';
const ask = (client: Client, n: number): number =>
  client.query({ name: 'n', text, values: [n] }).rows[0].n;

const pipelined = (body: (client: Client) => void) =>
  withClient(body, { pipeline: true, stream: () => new CountingSocket() });

describe('a pipeline', () => {
  useServer();

  test(
    'the queries of one turn go out in few writes, in their order; each gets its own answer',
    pipelined((client) => {
      ask(client, 0);
      const socket = CountingSocket.last;
      const before = socket.writes;
      const storage = new AsyncLocalStorage<number>();
      const all = Array.from({ length: 200 }, (_, i) =>
        spawn(() => storage.run(i, () => [ask(client, i), storage.getStore()])),
      );
      for (const [i, each] of all.entries()) assert.deepEqual(each.get(), [i, i]);
      const writes = socket.writes - before;
      assert.ok(writes > 0 && writes <= 60, `200 queries in ${writes} writes`);
      assert.equal(socket.writableCorked, 0);
    }),
  );

  test(
    'what the server could begin with at once does not wait for the end of the turn',
    pipelined((client) => {
      ask(client, 0);
      const socket = CountingSocket.last;
      const writes = [socket.writes];
      const note = () => writes.push(socket.writes);
      const all = [
        spawn(() => ask(client, 1)),
        spawn(note),
        spawn(() => ask(client, 2)),
        spawn(note),
        spawn(() => client.query('SELECT $1::text AS n', ['x'.repeat(2000)]).rows[0].n.length),
        spawn(() => ask(client, 4)),
        spawn(note),
      ];
      const answers = all.map((each) => each.get());
      const [before = 0, ...after] = writes;
      assert.deepEqual(
        after.map((count) => count - before),
        [1, 1, 2],
        'the first one at once, the second one not, and a full packet before the turn ends',
      );
      assert.deepEqual([answers[0], answers[2], answers[4], answers[5]], [1, 2, 2000, 4]);
    }),
  );

  test(
    'one that is killed in the turn in which it was sent spoils nothing',
    pipelined((client) => {
      for (let round = 0; round < 20; round++) {
        const all = Array.from({ length: 10 }, (_, i) => spawn(() => ask(client, i)));
        // Killed once they have sent theirs, and before the turn ends.
        const killer = spawn(() => {
          for (let i = round % 3; i < all.length; i += 3) all[i]?.kill({ block: false });
        });
        killer.join();
        for (const [i, each] of all.entries()) if (i % 3 !== round % 3) assert.equal(each.get(), i);
        if (round % 2) sleep(0);
      }
      assert.equal(ask(client, 5), 5);
    }),
  );

  test(
    'queries of every form: name alone, options of pg, objects of a class',
    pipelined((client) => {
      assert.equal(ask(client, 1), 1);
      const again = client.query({ name: 'n', values: [2] } as never);
      assert.deepEqual(again.rows, [{ n: 2 }]);
      assert.deepEqual(client.query({ text, rowMode: 'array' }, [3]).rows, [[3]]);
      const doubled = { getTypeParser: () => (value: string) => 2 * Number(value) };
      const own = { text, types: doubled as unknown as typeof types };
      assert.deepEqual(client.query(own, [4]).rows, [{ n: 8 }]);
      class Statement {
        get text(): string {
          return text;
        }
        get values(): number[] {
          return [5];
        }
        get rowMode(): 'array' {
          return 'array';
        }
      }
      assert.deepEqual(client.query(new Statement()).rows, [[5]]);
      const frozen = Object.freeze({ name: 'n', text, values: Object.freeze([6]) as number[] });
      assert.deepEqual(client.query(frozen).rows, [{ n: 6 }]);
      assert.deepEqual(client.query(frozen, [7]).rows, [{ n: 7 }], 'values given apart count');
    }),
  );
});
