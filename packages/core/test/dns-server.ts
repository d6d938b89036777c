/** A name server on loopback that delays, truncates, fails, lies and drops, and counts what it is asked. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import net from 'node:net';
import dnsPacket, { type Answer, type Packet, type Question } from 'dns-packet';

export interface Reply {
  answers?: Answer[];
  /** Default NOERROR, or NXDOMAIN when there is nothing to answer with and `empty` is not set. */
  rcode?: 'NOERROR' | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED';
  delay?: number;
  /** Answers when this has resolved. */
  after?: Promise<void>;
  drop?: boolean;
  /** Over UDP the answer is cut off; over TCP it is whole. */
  truncate?: boolean;
  /** A wrong id, or an answer to another question. */
  lie?: 'id' | 'question';
  /** Neither recurses nor is an authority. */
  lame?: boolean;
}

const codes = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 };

export class DnsServer {
  /** Queries so far, as `A name`; those over TCP as `tcp A name`. */
  readonly asked: string[] = [];
  readonly #reply: (question: Question) => Reply;
  readonly #host: string;
  readonly #udp: UdpSocket;
  readonly #tcp: net.Server;
  readonly #connections = new Set<net.Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  port = 0;

  private constructor(reply: (question: Question) => Reply, host: string) {
    this.#reply = reply;
    this.#host = host;
    this.#udp = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    this.#udp.on('message', (message, from) =>
      this.#answer(message, false, (bytes) => this.#udp.send(bytes, from.port, from.address)),
    );
    this.#tcp = net.createServer((socket) => {
      this.#connections.add(socket);
      socket.on('error', () => {}).on('close', () => this.#connections.delete(socket));
      socket.on('data', (data) =>
        this.#answer(data.subarray(2), true, (bytes) => {
          const length = Buffer.alloc(2);
          length.writeUInt16BE(bytes.length);
          socket.write(Buffer.concat([length, bytes]));
        }),
      );
    });
  }

  static async start(reply: (question: Question) => Reply, host = '127.0.0.1'): Promise<DnsServer> {
    const server = new DnsServer(reply, host);
    // Both protocols on one port: a free one of the first may be taken in the second.
    for (let attempt = 0; server.port === 0; attempt++) {
      await new Promise<void>((resolve) => server.#tcp.listen(0, host, resolve));
      const { port } = server.#tcp.address() as net.AddressInfo;
      const error = await new Promise<Error | undefined>((resolve) => {
        server.#udp.once('error', resolve);
        server.#udp.bind(port, host, () => resolve(undefined));
      });
      server.#udp.removeAllListeners('error');
      if (!error) server.port = port;
      else if (attempt === 20) throw error;
      else await new Promise((resolve) => server.#tcp.close(resolve));
    }
    return server;
  }

  get address(): string {
    return this.#host.includes(':') ? `[${this.#host}]:${this.port}` : `${this.#host}:${this.port}`;
  }

  count(question: string): number {
    return this.asked.filter((one) => one === question).length;
  }

  #answer(message: Buffer, tcp: boolean, send: (bytes: Buffer) => void): void {
    const query = dnsPacket.decode(message);
    const [question] = query.questions ?? [];
    if (!question) return;
    this.asked.push(`${tcp ? 'tcp ' : ''}${question.type} ${question.name}`);
    const reply = this.#reply(question);
    if (reply.drop) return;
    const answers = reply.answers ?? [];
    const truncated = reply.truncate === true && !tcp;
    const rcode = codes[reply.rcode ?? (answers.length > 0 ? 'NOERROR' : 'NXDOMAIN')];
    const packet: Packet = {
      type: 'response',
      id: reply.lie === 'id' ? ((query.id ?? 0) + 1) & 0xffff : query.id,
      flags:
        (reply.lame ? 0 : dnsPacket.RECURSION_AVAILABLE) |
        (truncated ? dnsPacket.TRUNCATED_RESPONSE : 0) |
        rcode,
      questions: reply.lie === 'question' ? [{ ...question, name: 'other.test' }] : [question],
      answers: truncated ? [] : answers,
    };
    const bytes = dnsPacket.encode(packet);
    if (reply.after) {
      reply.after.then(() => send(bytes));
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      send(bytes);
    }, reply.delay ?? 0);
    this.#timers.add(timer);
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#connections) socket.destroy();
    await new Promise<void>((resolve) => this.#udp.close(() => resolve()));
    await new Promise((resolve) => this.#tcp.close(resolve));
  }
}

export const a = (name: string, data: string, ttl = 60): Answer => ({ type: 'A', name, data, ttl });
export const aaaa = (name: string, data: string, ttl = 60): Answer => ({
  type: 'AAAA',
  name,
  data,
  ttl,
});
