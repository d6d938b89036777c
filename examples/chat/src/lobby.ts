/** Lobby: all rooms, and all members by their secret. */
import { Refusal } from './refusal.js';
import { checkName, type Member, Room } from './room.js';

/** Rooms stay for their history; when there are too many, an empty one goes. */
const maxRooms = 1000;

export class Lobby {
  readonly #rooms = new Map<string, Room>();
  readonly #members = new Map<string, Member>();

  /** Takes the `room` and the `name` of a query string. @throws Refusal */
  enter(query: string): Member {
    const wanted = new URLSearchParams(query);
    const name = checkName('name', wanted.get('name'));
    const member = this.#room(checkName('room', wanted.get('room') ?? 'lobby')).join(name);
    this.#members.set(member.id, member);
    return member;
  }

  leave(member: Member): void {
    member.lease?.end();
    this.#members.delete(member.id);
    member.room.leave(member);
  }

  /** @throws Refusal */
  find(id: unknown): Member {
    const member = this.#members.get(String(id));
    if (!member) throw new Refusal('410 Gone', 'no such member (any more)');
    return member;
  }

  clear(): void {
    for (const member of this.#members.values()) this.leave(member);
  }

  #room(name: string): Room {
    const known = this.#rooms.get(name);
    if (known) return known;
    if (this.#rooms.size >= maxRooms) this.#dropOne();
    const room = new Room(name);
    this.#rooms.set(name, room);
    return room;
  }

  #dropOne(): void {
    for (const room of this.#rooms.values()) {
      if (room.size > 0) continue;
      this.#rooms.delete(room.name);
      return;
    }
    throw new Refusal('503 Service Unavailable', 'too many rooms');
  }
}
