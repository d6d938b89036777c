/** The slow upstream, a process of its own: says its port, and answers after so many milliseconds. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const delay = Number(process.argv[2]);
const body = JSON.stringify({ quote: 'All that waits can wait together.' });

const server = createServer((_req, res) => {
  setTimeout(() => res.end(body), delay);
}).listen(0, '127.0.0.1', 4096, () => {
  console.log((server.address() as AddressInfo).port);
});
process.stdin.resume().on('end', () => process.exit());
