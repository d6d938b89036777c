#!/usr/bin/env node
/** A name server on loopback that answers every A query after so many milliseconds: prints its port. */
import { createSocket } from 'node:dgram';

const delay = Number(process.argv[2] ?? 100);
const socket = createSocket({ type: 'udp4', recvBufferSize: 8 * 1024 * 1024 });
const address = Buffer.from([10, 0, 0, 1]);

/** The answer to a query: its question, and for type A one address for an hour. */
function answerTo(query: Buffer): Buffer {
  let end = 12;
  while (query[end]) end += (query[end] as number) + 1;
  const isA = query.readUInt16BE(end + 1) === 1;
  const question = query.subarray(12, end + 5);
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(isA ? 1 : 0, 6);
  if (!isA) return Buffer.concat([header, question]);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4]);
  return Buffer.concat([header, question, record, address]);
}

socket.on('message', (query, from) => {
  const answer = answerTo(query);
  setTimeout(() => socket.send(answer, from.port, from.address), delay);
});
socket.bind(0, '127.0.0.1', () => console.log(socket.address().port));
