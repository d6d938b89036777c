/** A crowd of clients, in a process of its own. It says a line now and then, and then its figures. */
import { type Greenlet, joinall, killall, Pool, run, sleep, spawn } from '@tendril/core';
import { Client } from './client.js';

export interface Task {
  port: number;
  clients: number;
  /** Each asks that often; or else all of them for so many milliseconds, after `settle`. */
  requests?: number;
  settle?: number;
  time?: number;
}

export interface Progress {
  answered: number;
}

export interface Figures {
  answered: number;
  /** Requests per second. */
  rate: number;
  /** Milliseconds; undefined without answers. */
  median: number | undefined;
  slowest: number | undefined;
}

/** Milliseconds between two lines. */
const pulse = 200;
/** Connections that are made at a time: fewer than what a server lets wait. */
const connecting = 64;

function play(task: Task): Figures {
  const { port, clients: count, requests = Number.POSITIVE_INFINITY, settle = 0, time } = task;
  const clients = new Pool(connecting).map(
    () => new Client(port),
    Array.from({ length: count }, (_, index) => index),
  );
  const started = performance.now();
  const from = started + settle;
  const times: number[] = [];
  const ask = (client: Client, id: number) => {
    for (let n = 0; n < requests; n++) {
      const sent = performance.now();
      client.get(`visitor-${id}-${n}`);
      if (performance.now() >= from) times.push(performance.now() - sent);
    }
  };
  const crowd = clients.map((client, id) => spawn(ask, client, id));
  const speaker = spawn(() => {
    for (;;) {
      console.log(JSON.stringify({ answered: times.length } satisfies Progress));
      sleep(pulse);
    }
  });
  if (time === undefined) joinall(crowd, { raiseError: true });
  else joinall(crowd, { raiseError: true, timeout: settle + time });
  const elapsed = performance.now() - from;
  times.sort((a, b) => a - b);
  const figures = {
    answered: times.length,
    rate: times.length / (elapsed / 1000),
    median: times[times.length >> 1],
    slowest: times.at(-1),
  };
  killall([...crowd, speaker] as Greenlet[]);
  for (const client of clients) client[Symbol.dispose]();
  return figures;
}

await run(() => {
  console.log(JSON.stringify(play(JSON.parse(process.argv[2] as string) as Task)));
});
