/**
 * Transactions, locks, other databases and names, two greenlets of each on a client, under random kills
 * and timeouts, in a network that goes silent: nothing of it is left in a connection that is lent again.
 */
import assert from 'node:assert/strict';
import { type Gate, openGate } from '@tendril/adapter-suite';
import {
  Event,
  type Greenlet,
  getCurrent,
  isExit,
  killall,
  sleep,
  spawn,
  Timeout,
  wait,
} from '@tendril/core';
import { type Client, createClientPool, type Session } from '@tendril/redis';
import { failure } from './asker.js';
import { address, clientOf, password, redisTest, until, useServer } from './helpers.js';

useServer();

const rounds = process.env.TENDRIL_TEST_SHORT ? 60 : 500;
const size = 4;
const lockTime = 200;
const unlock =
  "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end";

type Host = Pick<Client, 'execute' | 'transaction' | 'set' | 'eval'>;

const lost = 'ERR_REDIS_CONNECTION_LOST';

let seed = 1;
function chance(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
}

/** Each step has its number, and stands in a list: what is carried out half, twice or not at all shows. */
function count(host: Host, key: string): void {
  host.transaction(
    key,
    (session) => {
      const next = Number(session.get(key)) + 1;
      return session.multi().set(key, String(next)).rPush(`${key}:steps`, String(next));
    },
    { retries: 100 },
  );
}

function lock(host: Host, key: string): void {
  const token = String(chance());
  const condition = { condition: 'NX', expiration: { type: 'PX', value: lockTime } } as const;
  if (host.set(`lock:${key}`, token, condition) !== 'OK') return;
  try {
    sleep(chance() * 10);
  } finally {
    host.eval(unlock, { keys: [`lock:${key}`], arguments: [token] });
  }
}

function change(host: Host): void {
  host.execute((session) => {
    session.sendCommand(['SELECT', '5']);
    session.clientSetName('changed');
    if (chance() < 0.5) session.multi().select(6).set('k', 'v').exec();
    if (chance() < 0.5) session.sendCommand(['MULTI']);
    session.set('k', 'v');
  });
}

const stopped = new Error('a kill with an error of its own');

/** One who does them again and again, each with a limit, until it is killed. */
function user(host: Host, key: string): void {
  const signal = getCurrent()?.signal as AbortSignal; // of a kill that comes after this
  const things = [() => count(host, key), () => lock(host, key), () => change(host)];
  for (;;) {
    const error = failsInTime(things[Math.floor(chance() * things.length)] as () => void);
    // What gives a lock back may fail on the way out of a kill, and its error then takes the place of the kill's.
    if (error === stopped || signal.aborted) return;
    if (error) sleep(1);
  }
}

function failsInTime(thing: () => void): unknown {
  using _limit = Timeout.startNew(1 + chance() * 40);
  try {
    thing();
    return undefined;
  } catch (error) {
    if (isExit(error) || error instanceof assert.AssertionError) throw error;
    return error;
  }
}

/**
 * Connections that say nothing any more are given up as they are used; and a server that others keep from
 * running says nothing, either.
 */
function despiteLosses(ask: () => void): void {
  until(() => {
    const error = failure(ask);
    if (error && error.code !== lost) throw error;
    return error === undefined;
  });
}

/** Uses all connections at once, and has `changed` happen meanwhile: none has a WATCH of that. */
function inspect(host: Host, changed: () => void): void {
  const go = new Event();
  let ready = 0;
  const each = (session: Session) => {
    ready++;
    go.wait();
    const { db, name, multi } = session.clientInfo();
    assert.deepEqual([db, name, multi], [0, 'storm', -1]);
    assert.deepEqual(session.multi().ping().exec(), ['PONG']);
  };
  const all = Array.from({ length: size }, () => spawn(() => failure(() => host.execute(each))));
  until(() => ready === size || all.some((one) => one.dead));
  changed();
  go.set();
  const errors = all.map((one) => one.get()).filter((error) => error !== undefined);
  const worst = errors.find((error) => error.code !== lost) ?? errors[0];
  if (worst) throw worst;
}

function storm(users: (() => Greenlet)[], gate: Gate, hasMoved: () => boolean): void {
  const running = users.map((start) => start());
  for (let round = 0; round < rounds || !hasMoved(); round++) {
    sleep(2 + chance() * 6);
    const at = Math.floor(chance() * running.length);
    const victim = running[at] as Greenlet;
    victim.kill(chance() < 0.5 ? {} : { error: stopped });
    if (victim.exception && victim.exception !== stopped) throw victim.exception;
    running[at] = users[at]?.() as Greenlet;
    if (chance() < 1 / 50) gate.cut();
    if (chance() < 1 / 50) gate.silence();
  }
  killall(running);
}

redisTest(`${rounds} rounds of kills, timeouts, cuts and silence`, (direct: Client) => {
  const gate = wait(openGate(address()));
  const socket = { host: gate.host, port: gate.port, socketTimeout: 1000 };
  const options = { socket, password, name: 'storm', pingInterval: 300 };
  const clients = [0, 1].map(() => clientOf({ ...options, blockingConnections: size }));
  const pool = createClientPool(options, { minimum: 0, maximum: size }).connect();
  const hosts = [...clients, pool];
  const keys = ['a', 'b'];
  const users = hosts.flatMap((host) =>
    keys.map((key) => () => spawn(() => user(host as Host, key))),
  );
  storm(users, gate, () => keys.every((key) => Number(direct.get(key)) > 10));
  let touched = 0;
  const touch = () => {
    touched++;
    for (const key of keys) direct.incr(key);
  };
  for (const host of hosts) despiteLosses(() => inspect(host as Host, touch));
  for (const client of clients) despiteLosses(() => assert.equal(client.clientInfo().db, 0));
  for (const key of keys) {
    const steps = Array.from({ length: Number(direct.get(key)) - touched }, (_, n) => n + 1);
    assert.deepEqual(direct.lRange(`${key}:steps`, 0, -1).map(Number), steps);
  }
  until(() => direct.keys('lock:*').length === 0);
  for (const host of hosts) host.destroy();
  wait(gate.close());
  until(() => direct.clientList().every(({ name }) => name !== 'storm'));
});
