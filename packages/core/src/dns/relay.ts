/**
 * A place on the loopback for a name server with a scope (`fe80::1%eth0`): node:dns cuts the scope off,
 * and link-local addresses cannot be reached without one. UDP and TCP.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import net from 'node:net';
import { hostOf, type ServerAddress } from './server-address.js';

const loopback = '127.0.0.1';
/** Both protocols need the same port: one that is free in the first may be taken in the second. */
const attempts = 20;

export class Relay {
  readonly #server: ServerAddress;
  readonly #timeout: number;
  readonly #open = new Set<{ close(): void }>();
  #near: UdpSocket | undefined;
  #waiting: ((port: number) => void)[] = [];
  #port: number | undefined;
  #closed = false;

  /** `timeout`: milliseconds that an answer is waited for. */
  constructor(server: ServerAddress, timeout: number) {
    this.#server = server;
    this.#timeout = timeout;
    this.#listen(attempts);
  }

  /** Calls back with the port on 127.0.0.1, at once if it is there already; 0: there is none. */
  whenReady(then: (port: number) => void): void {
    if (this.#port === undefined) this.#waiting.push(then);
    else then(this.#port);
  }

  #ready(port: number): void {
    this.#port = port;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const then of waiting) process.nextTick(then, port);
  }

  #listen(left: number): void {
    if (this.#closed || left === 0) {
      this.close();
      return;
    }
    const tcp = net.createServer((socket) => this.#passStream(socket));
    const udp = createSocket('udp4');
    const again = () => {
      tcp.close();
      udp.close();
      this.#listen(left - 1);
    };
    tcp.once('error', again).listen(0, loopback, () => {
      const { port } = tcp.address() as net.AddressInfo;
      udp.once('error', again).bind(port, loopback, () => {
        for (const each of [tcp, udp]) each.removeAllListeners('error').on('error', () => {});
        this.#open.add(tcp).add(udp);
        this.#near = udp;
        udp.on('message', (query, from) => this.#passQuery(query, from.port));
        // Whoever asks keeps the process alive, not who would pass it on.
        tcp.unref();
        udp.unref();
        if (this.#closed) this.close();
        else this.#ready(port);
      });
    });
  }

  // A socket for each query: its port is as hard to guess as that of the query itself.
  #passQuery(query: Buffer, port: number): void {
    const far = createSocket('udp6');
    const entry = {
      close: () => {
        clearTimeout(timer);
        this.#open.delete(entry);
        far.removeAllListeners().on('error', () => {});
        far.close();
      },
    };
    const timer = setTimeout(entry.close, this.#timeout);
    this.#open.add(entry);
    far.on('error', entry.close);
    far.on('message', (answer) => {
      this.#near?.send(answer, port, loopback);
      entry.close();
    });
    far.on('connect', () => far.send(query));
    far.connect(this.#server.port, hostOf(this.#server));
  }

  #passStream(near: net.Socket): void {
    const far = net.connect({ host: hostOf(this.#server), port: this.#server.port });
    const entry = { close: () => void near.destroy() };
    this.#open.add(entry);
    near.setTimeout(this.#timeout, entry.close);
    near.on('error', entry.close).on('close', () => {
      this.#open.delete(entry);
      far.destroy();
    });
    far.on('error', entry.close).on('close', entry.close);
    near.pipe(far).pipe(near);
  }

  /** Those who wait for it find none. */
  close(): void {
    this.#closed = true;
    this.#near = undefined;
    for (const each of [...this.#open]) each.close();
    this.#open.clear();
    this.#ready(0);
  }
}
