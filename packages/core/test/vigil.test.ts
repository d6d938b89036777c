// Finding out that an answer for which somebody waits will never come.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep, spawn, Vigil, type Watched } from '@tendril/core';
import { inGreenlet, leaveNothing } from './helpers.js';

leaveNothing();

/** A connection, and what its server is found to do. */
class Line implements Watched {
  waiting = true;
  bytesRead = 0;
  asked = 0;
  gone = 0;
  answer: () => boolean = () => false;

  isWorkedFor(): boolean {
    this.asked++;
    return this.answer();
  }
  silent(): void {
    this.gone++;
  }
}

function fail(code: string): () => never {
  return () => {
    throw Object.assign(new Error(code), { code });
  };
}

test(
  'a server that does not work for who waits is silent, a second later',
  inGreenlet(() => {
    const line = new Line();
    const vigil = new Vigil(line, 30_000);
    vigil.begin();
    vigil.begin();
    sleep(30_999);
    assert.deepEqual([line.asked, line.gone], [1, 0]);
    sleep(2);
    assert.equal(line.gone, 1);
    vigil.end();
  }),
);

test(
  'one that works is asked again and again, and nobody is asked while bytes come or nobody waits',
  inGreenlet(() => {
    const line = new Line();
    const vigil = new Vigil(line, 100);
    line.answer = () => true;
    vigil.begin();
    sleep(1001);
    assert.equal(line.asked, 10);
    for (let n = 0; n < 10; n++) {
      line.bytesRead++;
      sleep(100);
    }
    assert.equal(line.asked, 10);
    line.waiting = false;
    sleep(1000);
    assert.deepEqual([line.asked, line.gone], [10, 0]);
    line.waiting = true;
    vigil.begin();
    sleep(101);
    assert.equal(line.asked, 11);
    vigil.end();
  }),
);

test(
  'what comes after the question, or is not wanted any more, is no silence',
  inGreenlet(() => {
    const line = new Line();
    const vigil = new Vigil(line, 100);
    vigil.begin();
    sleep(150);
    line.bytesRead++;
    sleep(100);
    assert.deepEqual([line.asked, line.gone], [1, 0]);
    sleep(100);
    assert.equal(line.asked, 2);
    line.waiting = false;
    sleep(1000);
    assert.equal(line.gone, 0);
    vigil.end();
  }),
);

test(
  'an error has come from a host that is there, unless the network leads nowhere',
  inGreenlet(() => {
    const line = new Line();
    const vigil = new Vigil(line, 100);
    vigil.begin();
    line.answer = fail('ECONNREFUSED');
    sleep(1001);
    assert.deepEqual([line.asked, line.gone], [10, 0]);
    line.answer = fail('EHOSTUNREACH');
    sleep(201);
    assert.equal(line.gone, 1);
    vigil.end();
  }),
);

test(
  'its end stops a question, and nothing is looked at after it',
  inGreenlet(() => {
    const line = new Line();
    const vigil = new Vigil(line, 100);
    let stopped = false;
    line.answer = () => {
      try {
        sleep(10_000);
      } finally {
        stopped = true;
      }
      return true;
    };
    vigil.begin();
    sleep(101);
    spawn(() => vigil.end()).join();
    sleep(1000);
    vigil.begin();
    sleep(1000);
    assert.deepEqual([stopped, line.asked, line.gone], [true, 1, 0]);
  }),
);
