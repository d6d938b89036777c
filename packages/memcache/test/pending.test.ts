import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resume } from '@tendril/core';
import { type Answer, Exchange, type Failure } from '#src/exchange.js';
import { Pending } from '#src/pending.js';

const resume = Object.assign(() => {}, { error() {} }) as Resume<Answer | Failure>;

function exchange(opaque: number): Exchange {
  return new Exchange({ frame: Buffer.alloc(0), opaque, repeatable: false }, resume, () => {});
}

function opaquesOf(pending: Pending): number[] {
  const all: number[] = [];
  for (let each = pending.first; each; each = each.next) all.push(each.request.opaque);
  return all;
}

test('commands on their way stay in the order in which they were sent, whatever their numbers', () => {
  const pending = new Pending();
  for (const opaque of [3, 1, 2 ** 32 - 1]) pending.add(exchange(opaque));
  assert.deepEqual(opaquesOf(pending), [3, 1, 2 ** 32 - 1]);
  assert.equal(pending.length, 3);
});

test('one is found and taken out wherever it is, and then found no more', () => {
  for (const order of [
    [1, 2, 3],
    [3, 2, 1],
    [2, 1, 3],
    [2, 3, 1],
  ]) {
    const pending = new Pending();
    for (const opaque of [1, 2, 3]) pending.add(exchange(opaque));
    const left = new Set([1, 2, 3]);
    for (const opaque of order) {
      const found = pending.find(opaque);
      assert.equal(found?.request.opaque, opaque);
      pending.remove(found as Exchange);
      left.delete(opaque);
      assert.equal(pending.find(opaque), undefined);
      assert.deepEqual(opaquesOf(pending), [...left]);
    }
    assert.equal(pending.length, 0);
    pending.add(exchange(4));
    assert.deepEqual(opaquesOf(pending), [4]);
  }
});

test('what has left holds none of the others', () => {
  const pending = new Pending();
  const all = [1, 2, 3].map(exchange);
  for (const each of all) pending.add(each);
  for (const each of all) {
    pending.remove(each);
    assert.deepEqual([each.previous, each.next], [undefined, undefined]);
  }
});
