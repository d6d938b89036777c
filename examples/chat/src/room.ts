/** Room: who is here, what was said, and a queue of events for each member. */
import { randomBytes } from 'node:crypto';
import { Queue, QueueFull } from '@tendril/core';
import { Bucket } from './bucket.js';
import type { ChatEvent, Message } from './chat-event.js';
import type { Lease } from './lease.js';
import { Refusal } from './refusal.js';

export const limits = {
  /** Characters of a message. */
  text: 1000,
  /** Of a room. */
  members: 100,
  /** Messages that a newcomer gets to see. */
  history: 50,
  /** Messages of one member at once, and in each second after that. */
  burst: 10,
  perSecond: 2,
  /** Events that may wait for a member; one who is slower has to go. */
  patience: 200,
} as const;

const nameForm = /^[\p{L}\p{N}_.-]{1,20}$/u;

/** @throws Refusal */
export function checkName(what: string, name: string | null): string {
  if (name && nameForm.test(name)) return name;
  throw new Refusal('400 Bad Request', `${what}: 1 to 20 letters, digits or any of _ . -`);
}

export class Member {
  /** Known to nobody else. */
  readonly id = randomBytes(16).toString('base64url');
  readonly room: Room;
  readonly events = new Queue<ChatEvent>(limits.patience);
  readonly bucket = new Bucket(limits.burst, limits.perSecond);
  name: string;
  /** Of one who comes back again and again: see long-poll.ts. */
  lease: Lease | undefined;

  constructor(room: Room, name: string) {
    this.room = room;
    this.name = name;
  }

  give(event: ChatEvent): void {
    if (this.events.isShutDown) return;
    try {
      this.events.putNowait(event);
    } catch (error) {
      if (!(error instanceof QueueFull)) throw error;
      this.events.shutdown({ immediate: true }); // whoever serves it sees that, and takes it out
    }
  }
}

export class Room {
  readonly name: string;
  readonly #members = new Set<Member>();
  readonly #history: Message[] = [];
  // Not from 1: pages that were open before a restart would take new messages for old ones.
  #number = Date.now();

  constructor(name: string) {
    this.name = name;
  }

  get size(): number {
    return this.#members.size;
  }

  /** @throws Refusal */
  join(wanted: string): Member {
    if (this.size >= limits.members)
      throw new Refusal('503 Service Unavailable', 'the room is full');
    const member = new Member(this, this.#freeName(checkName('name', wanted)));
    this.#tell({ type: 'joined', name: member.name });
    this.#members.add(member);
    member.give({
      type: 'welcome',
      id: member.id,
      room: this.name,
      name: member.name,
      members: [...this.#members].map(({ name }) => name),
      history: [...this.#history],
    });
    return member;
  }

  leave(member: Member): void {
    if (!this.#members.delete(member)) return;
    member.events.shutdown({ immediate: true });
    this.#tell({ type: 'left', name: member.name });
  }

  /** Takes what `member` has typed: a message, or `/nick name`. */
  hear(member: Member, line: string): void {
    const text = line.trim();
    if (text === '') return;
    if (!member.bucket.take()) {
      member.give({ type: 'refused', text: 'not so fast' });
    } else if (text.length > limits.text) {
      member.give({ type: 'refused', text: `at most ${limits.text} characters` });
    } else if (text.startsWith('/')) {
      this.#obey(member, text);
    } else {
      this.#say(member.name, text);
    }
  }

  #say(from: string, text: string): void {
    const message: Message = {
      type: 'message',
      number: ++this.#number,
      from,
      text,
      time: Date.now(),
    };
    this.#history.push(message);
    if (this.#history.length > limits.history) this.#history.shift();
    this.#tell(message);
  }

  #obey(member: Member, command: string): void {
    const nick = /^\/nick +(\S+)$/.exec(command)?.[1];
    if (!nick || !nameForm.test(nick)) {
      member.give({ type: 'refused', text: 'commands: /nick name' });
    } else if (nick !== this.#freeName(nick)) {
      member.give({ type: 'refused', text: `${nick} is taken` });
    } else {
      const from = member.name;
      member.name = nick;
      this.#tell({ type: 'renamed', from, to: nick });
    }
  }

  #freeName(wanted: string): string {
    const taken = new Set([...this.#members].map(({ name }) => name));
    let name = wanted;
    for (let i = 2; taken.has(name); i++) name = `${wanted}-${i}`;
    return name;
  }

  #tell(event: ChatEvent): void {
    for (const member of this.#members) member.give(event);
  }
}
