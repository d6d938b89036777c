/** Operations: what a connection is working on, each ended by one ReadyForQuery. */

export interface Operation {
  /** Its greenlet does not wait any more. */
  abandoned: boolean;
  /** The server is done with it, or the connection is lost. */
  ended(lost?: Error): void;
}
