/**
 * Whether an empty answer came from a server that has nothing to say about the name. c-ares shows no
 * headers, so the question is put once more, by a packet of our own.
 */

import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { hostOf, type ServerAddress } from './server-address.js';

export interface Verdict {
  /**
   * NOERROR and no records, neither authoritative nor able to recurse: glibc's res_send asks the next
   * server then ("lame delegation").
   */
  readonly lame: boolean;
  /** It recurses, so no answer of its is lame. */
  readonly recursive: boolean;
}

const unknown: Verdict = { lame: false, recursive: false };

const headerLength = 12;
/** RFC 1035, section 4.1.1: QR, AA, RD, RA and RCODE of the second 16 bits. */
const response = 0x8000;
const authoritative = 0x0400;
const recursionDesired = 0x0100;
const recursionAvailable = 0x0080;
const rcodes = 0x000f;

function question(name: string, type: number): Buffer {
  const header = Buffer.alloc(headerLength);
  header.writeUInt16BE(randomInt(65_536), 0);
  header.writeUInt16BE(recursionDesired, 2);
  header.writeUInt16BE(1, 4);
  const labels = name.split('.').flatMap((label) => {
    const bytes = Buffer.from(label, 'latin1');
    return [Buffer.from([bytes.length]), bytes];
  });
  return Buffer.concat([header, ...labels, Buffer.from([0, type >> 8, type & 255, 0, 1])]);
}

/** What an answer to `query` says; undefined for what is none. */
export function judge(query: Buffer, answer: Buffer): Verdict | undefined {
  if (answer.length < headerLength || answer.readUInt16BE(0) !== query.readUInt16BE(0)) return;
  const flags = answer.readUInt16BE(2);
  if ((flags & response) === 0) return;
  // Some leave the question out, or change its case.
  const asked = (packet: Buffer) =>
    packet.subarray(headerLength, query.length).toString('latin1').toLowerCase();
  if (answer.readUInt16BE(4) > 0 && asked(answer) !== asked(query)) return;
  const recursive = (flags & recursionAvailable) !== 0;
  const empty = (flags & rcodes) === 0 && answer.readUInt16BE(6) === 0;
  return { recursive, lame: empty && !recursive && (flags & authoritative) === 0 };
}

/**
 * Asks `server`, for `timeout` milliseconds at most. `done` is called once, later; with neither of both
 * when there is no answer.
 * @returns gives it up: `done` is not called
 */
export function probe(
  server: ServerAddress,
  name: string,
  type: number,
  timeout: number,
  done: (verdict: Verdict) => void,
): () => void {
  const query = question(name, type);
  const socket = createSocket(server.family === 6 ? 'udp6' : 'udp4');
  const end = () => {
    clearTimeout(timer);
    socket.removeAllListeners();
    socket.on('error', () => {}).close();
  };
  const finish = (verdict: Verdict) => {
    end();
    done(verdict);
  };
  const timer = setTimeout(finish, timeout, unknown);
  socket.on('error', () => finish(unknown));
  socket.on('message', (answer) => {
    const verdict = judge(query, answer);
    if (verdict) finish(verdict);
  });
  // Connected, so that nobody else's packets come in.
  socket.on('connect', () => socket.send(query)).connect(server.port, hostOf(server));
  return end;
}
