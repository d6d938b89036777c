// Three ask for the same name at once; the callback of the first throws.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { AresResolver } from '@tendril/core/resolver';
import dnsPacket from 'dns-packet';

const server = createSocket('udp4').bind(0, '127.0.0.1');
await once(server, 'listening');
server.on('message', (message, from) => {
  const { id, questions } = dnsPacket.decode(message);
  const [{ name }] = questions;
  const answers = [{ type: 'A', name, data: '10.0.0.1', ttl: 60 }];
  const packet = { type: 'response', id, questions, answers };
  server.send(dnsPacket.encode(packet), from.port, from.address);
});
const nothing = '/nonexistent/file';
const resolver = new AresResolver({
  hostsFile: nothing,
  resolvConf: nothing,
  nsswitch: nothing,
  servers: [`127.0.0.1:${server.address().port}`],
});
process.once('uncaughtException', (error) => console.log(`caught: ${error.message}`));
let left = 2;
resolver.lookup('x.test', 4, () => {
  throw new Error('mine');
});
for (const name of ['second', 'third'])
  resolver.lookup('x.test', 4, (_error, address) => {
    console.log(`${name}: ${address}`);
    if (--left === 0) server.close();
  });
