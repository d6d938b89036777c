// All descriptors are taken for a moment: what is tried then must say so, hang for ever or strike
// nobody else, and work again afterwards. Prints what each attempt came to, in the moment and after it.
import fs from 'node:fs';
import { config, run, spawn, withTimeout } from '@tendril/core';
import { AresResolver, getaddrinfo } from '@tendril/core/resolver';
import { connect, DatagramSocket, listen } from '@tendril/core/socket';
import { Popen, run as runChild } from '@tendril/core/subprocess';
import { ThreadPool } from '@tendril/core/threadpool';
import { fewDescriptors } from '../../../../tools/few-descriptors.mjs';

const host = '127.0.0.1';
const taken = [];
const takeAll = () => {
  try {
    for (;;) taken.push(fs.openSync('/dev/null', 'r'));
  } catch (error) {
    if (error.code !== 'EMFILE') throw error;
  }
};
const giveBack = () => {
  for (const fd of taken.splice(0)) fs.closeSync(fd);
};

const closing = (resource, use) => {
  try {
    return use(resource);
  } finally {
    resource[Symbol.dispose]();
  }
};

const outcome = (attempt) => {
  try {
    return String(withTimeout(20_000, attempt));
  } catch (error) {
    return `${error.code}`;
  }
};

fewDescriptors(64);
await run(() => {
  const listener = listen({ host, port: 0 });
  const { port } = listener;
  const bystander = connect({ host, port });
  const echo = listener.accept();
  const datagrams = new DatagramSocket({ host });
  const pool = new ThreadPool(1);
  config.resolver = new AresResolver({ servers: ['127.0.0.1:9'], timeout: 100, tries: 1 });
  const attempts = {
    connect: () => {
      return closing(connect({ host, port }), (socket) => socket.remotePort === port);
    },
    several: () => {
      const lookup = (_host, _options, done) =>
        process.nextTick(done, null, [
          { address: host, family: 4 },
          { address: '::1', family: 6 },
        ]);
      const socket = connect({ host: 'several.test', port, lookup });
      return closing(socket, ({ remotePort }) => remotePort === port);
    },
    listen: () => {
      return closing(listen({ host, port: 0 }), (other) => other.port > 0);
    },
    datagram: () => {
      datagrams.sendTo('x', { address: host, port: 9 });
      return true;
    },
    run: () => runChild('true').status === 0,
    input: () => runChild('cat', [], { input: 'x' }).stdout === 'x',
    Popen: () => {
      return closing(new Popen('true'), (child) => child.wait() === 0);
    },
    hosts: () => getaddrinfo('localhost', 80).length > 0,
    name: () => getaddrinfo('no-such-name.test', 80).length > 0,
    threads: () => pool.apply(() => true),
    bystander: () => {
      bystander.sendAll('ping');
      echo.sendAll(echo.recvExactly(4));
      return bystander.recvExactly(4).toString() === 'ping';
    },
  };
  const wanted = process.argv[2] ? process.argv[2].split(',') : Object.keys(attempts);
  const all = () =>
    Object.fromEntries(wanted.map((name) => [name, spawn(() => outcome(attempts[name])).get()]));
  takeAll();
  const during = all();
  giveBack();
  const after = all();
  pool.kill();
  console.log(JSON.stringify({ during, after }));
  for (const one of [bystander, echo, listener, datagrams]) one.close();
});
process.exit(0);
