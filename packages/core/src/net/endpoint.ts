/** What a Socket tells about the connection under it: addresses, counters, TLS. */
import type { Socket as NetSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { plainAddress } from './plain-address.js';

/** IPv4 peers of a socket of both families are told as IPv4: see {@link plainAddress}. */
export abstract class Endpoint {
  /** What it stands on. To read from it elsewhere takes bytes away from this socket. */
  abstract readonly stream: Duplex;

  get #net(): NetSocket {
    return this.stream as NetSocket;
  }
  get remoteAddress(): string | undefined {
    return plainAddress(this.#net.remoteAddress);
  }
  get remotePort(): number | undefined {
    return this.#net.remotePort;
  }
  get remoteFamily(): string | undefined {
    const { remoteAddress, remoteFamily } = this.#net;
    return plainAddress(remoteAddress) === remoteAddress ? remoteFamily : 'IPv4';
  }
  get localAddress(): string | undefined {
    return plainAddress(this.#net.localAddress);
  }
  get localPort(): number | undefined {
    return this.#net.localPort;
  }
  get bytesRead(): number {
    return this.#net.bytesRead;
  }
  get bytesWritten(): number {
    return this.#net.bytesWritten;
  }

  /** Sends small pieces at once (TCP_NODELAY). */
  setNoDelay(on = true): void {
    this.#net.setNoDelay?.(on);
  }
  /** TCP keep-alive probes, the first after `initialDelay` milliseconds. */
  setKeepAlive(on = true, initialDelay = 0): void {
    this.#net.setKeepAlive?.(on, initialDelay);
  }

  get #tls(): Partial<TLSSocket> {
    return this.stream as Partial<TLSSocket>;
  }
  get encrypted(): boolean {
    return this.#tls.encrypted === true;
  }
  /** True when the peer's certificate was verified. */
  get authorized(): boolean {
    return this.#tls.authorized === true;
  }
  /** The protocol that ALPN chose. */
  get alpnProtocol(): string | undefined {
    return this.#tls.alpnProtocol || undefined;
  }
  /** The name that the client asked for (SNI). */
  get servername(): string | undefined {
    const name = (this.#tls as { servername?: string | false }).servername;
    return name || undefined;
  }
  peerCertificate(): DetailedPeerCertificate | undefined {
    return this.#tls.getPeerCertificate?.(true);
  }
}
