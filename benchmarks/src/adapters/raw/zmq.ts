/** ZeroMQ with zeromq.js. */
import { setTimeout as delay } from 'node:timers/promises';
import { Dealer, Pull, Push } from 'zeromq';
import { check, message } from '../content.js';
import type { Async } from '../load.js';

export const jobs: Async = {
  /** Questions carry the number of their asker, to whom the reader hands the answer. */
  async echo({ host, port }, askers) {
    const dealer = new Dealer();
    dealer.connect(`tcp://${host}:${port}`);
    const ids = Array.from({ length: askers }, (_, asker) => Buffer.from([asker]));
    const waiting: ((answer: Buffer) => void)[] = [];
    const read = async () => {
      for await (const [id, answer] of dealer) waiting[id?.[0] as number]?.(answer as Buffer);
    };
    const reading = read();
    return {
      async ask(_, asker) {
        const coming = new Promise<Buffer>((resolve) => {
          waiting[asker] = resolve;
        });
        await dealer.send([ids[asker] as Buffer, message]);
        const answer = await coming;
        check(message.equals(answer), answer);
      },
      close: async () => {
        dealer.close();
        await reading;
      },
    };
  },
  async 'one way'() {
    const pull = new Pull();
    await pull.bind('tcp://127.0.0.1:*');
    const push = new Push();
    push.connect(pull.lastEndpoint as string);
    let sent = 0;
    let received = 0;
    const read = async () => {
      for await (const [got] of pull) {
        check(message.equals(got as Buffer), got);
        received++;
      }
    };
    const reading = read();
    return {
      async ask() {
        await push.send(message);
        sent++;
      },
      settle: async () => {
        while (received < sent) await delay(1);
      },
      close: async () => {
        push.close();
        pull.close();
        await reading;
      },
    };
  },
};
