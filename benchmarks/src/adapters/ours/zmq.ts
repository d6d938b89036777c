/** ZeroMQ with @tendril/zmq. */
import { AsyncResult, sleep, spawn } from '@tendril/core';
import { Dealer, Pull, Push } from '@tendril/zmq';
import { check, message } from '../content.js';
import type { Parking } from '../load.js';

export const jobs: Parking = {
  /** Questions carry the number of their asker, to whom the reader hands the answer. */
  echo({ host, port }, askers) {
    const dealer = new Dealer();
    dealer.connect(`tcp://${host}:${port}`);
    const ids = Array.from({ length: askers }, (_, asker) => Buffer.from([asker]));
    const waiting: AsyncResult<Buffer>[] = [];
    const reader = spawn(() => {
      for (;;) {
        const [id, answer] = dealer.receive();
        waiting[id?.[0] as number]?.set(answer as Buffer);
      }
    });
    return {
      ask(_, asker) {
        const result = new AsyncResult<Buffer>();
        waiting[asker] = result;
        dealer.send([ids[asker] as Buffer, message]);
        const answer = result.get();
        check(message.equals(answer), answer);
      },
      close: () => {
        reader.kill();
        dealer.close();
      },
    };
  },
  'one way'() {
    const pull = new Pull();
    pull.bind('tcp://127.0.0.1:*');
    const push = new Push();
    push.connect(pull.lastEndpoint as string);
    let sent = 0;
    let received = 0;
    const reader = spawn(() => {
      for (;;) {
        const [got] = pull.receive();
        check(message.equals(got as Buffer), got);
        received++;
      }
    });
    return {
      ask() {
        push.send(message);
        sent++;
      },
      settle: () => {
        while (received < sent) sleep(1);
      },
      close: () => {
        reader.kill();
        push.close();
        pull.close();
      },
    };
  },
};
