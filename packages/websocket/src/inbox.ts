/** Inbox: messages that have come and are not received yet. */

export type Message = string | Buffer;

/** Unread messages, or unread bytes, at which the peer has to wait. */
const maxMessages = 64;
const maxBytes = 1024 * 1024;

export class Inbox {
  #messages: { message: Message; length: number }[] = [];
  /** Where the oldest is: to shift a long array for each message would be quadratic. */
  #first = 0;
  #bytes = 0;

  get size(): number {
    return this.#messages.length - this.#first;
  }

  /** `length`: the bytes that it came in. */
  push(message: Message, length: number): void {
    this.#messages.push({ message, length });
    this.#bytes += length;
  }

  take(): Message | undefined {
    const next = this.#messages[this.#first];
    if (!next) return undefined;
    this.#first++;
    this.#bytes -= next.length;
    if (this.#first >= maxMessages || this.#first === this.#messages.length) {
      this.#messages = this.#messages.slice(this.#first);
      this.#first = 0;
    }
    return next.message;
  }

  clear(): void {
    this.#messages = [];
    this.#first = this.#bytes = 0;
  }

  /** No more should come for now. */
  get full(): boolean {
    return this.size > maxMessages || this.#bytes > maxBytes;
  }
  /** Much of it has been received since it was full. */
  get roomy(): boolean {
    return this.size <= maxMessages / 2 && this.#bytes <= maxBytes / 2;
  }
}
