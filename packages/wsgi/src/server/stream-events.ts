/** What a stream of Node's tells its connection. */
import type { Socket as NetSocket } from 'node:net';

export interface StreamEvents {
  received(chunk: Buffer): void;
  /** The client has ended its side. */
  inputEnded(): void;
  broke(error: Error): void;
  drained(): void;
  closed(): void;
}

const target = Symbol('connection');
type Owned = NetSocket & { [target]: StreamEvents };

// The same five functions for every connection, for there may be many of them.
// biome-ignore lint/suspicious/noExplicitAny: bytes, errors or nothing, as the event has it
const listeners: readonly [string, (this: Owned, what: any) => void][] = [
  [
    'data',
    function (this: Owned, chunk: Buffer) {
      this[target].received(chunk);
    },
  ],
  [
    'end',
    function (this: Owned) {
      this[target].inputEnded();
    },
  ],
  [
    'error',
    function (this: Owned, error: Error) {
      this[target].broke(error);
    },
  ],
  [
    'drain',
    function (this: Owned) {
      this[target].drained();
    },
  ],
  [
    'close',
    function (this: Owned) {
      this[target].closed();
    },
  ],
];

export function follow(stream: NetSocket, connection: StreamEvents): void {
  (stream as Owned)[target] = connection;
  for (const [event, listener] of listeners) stream.on(event, listener);
}

/** From here on only its close is told: somebody else reads and writes. */
export function unfollow(stream: NetSocket): void {
  for (const [event, listener] of listeners) if (event !== 'close') stream.off(event, listener);
}
