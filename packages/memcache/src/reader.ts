/** Reader: cuts what a server sends into messages. */
import { type Response, Utils } from 'memjs';
import { breakage } from './errors.js';

const headerLength = 24;
/** First byte of every reply. */
const magic = 0x81;
/** memcached's own largest item is 1 GiB; beyond that and some names it is no memcached. */
const maxBody = 2 ** 30 + 2 ** 16;

/**
 * What memjs's Server does by copying all that has come with every piece, which for a large value is
 * quadratic. Pieces are joined once, when the message is complete.
 */
export class Reader {
  readonly #receive: (message: Response) => void;
  #pieces: Buffer[] = [];
  #length = 0;
  #wanted = headerLength;

  constructor(receive: (message: Response) => void) {
    this.#receive = receive;
  }

  /** @throws Error with ERR_MEMCACHE_PROTOCOL for what is no reply */
  push(piece: Buffer): void {
    let data = piece;
    if (this.#length > 0) {
      this.#pieces.push(piece);
      this.#length += piece.length;
      if (this.#length < this.#wanted) return;
      data = Buffer.concat(this.#pieces, this.#length);
      this.#pieces = [];
      this.#length = 0;
    }
    let at = 0;
    let wanted = headerLength;
    while (at < data.length) {
      wanted = this.#messageLength(data, at);
      if (data.length - at < wanted) break;
      this.#receive(Utils.parseMessage(data.subarray(at, at + wanted)));
      at += wanted;
    }
    if (at === data.length) return;
    this.#pieces.push(at === 0 ? data : data.subarray(at));
    this.#length = data.length - at;
    this.#wanted = wanted;
  }

  /** Of the message at `at`; of its header while that is not complete. */
  #messageLength(data: Buffer, at: number): number {
    if (data[at] !== magic) throw breakage('PROTOCOL', 'the peer does not speak memcache');
    if (data.length - at < headerLength) return headerLength;
    const body = data.readUInt32BE(at + 8);
    const names = data.readUInt16BE(at + 2) + data.readUInt8(at + 4);
    if (body > maxBody || names > body)
      throw breakage('PROTOCOL', 'the peer sent a malformed header');
    return headerLength + body;
  }
}
