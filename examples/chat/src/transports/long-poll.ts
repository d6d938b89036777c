/**
 * Long polling: a request waits until there is something to answer, and the next one follows at once.
 * The first names a room, and later ones the id that it got. What the member says comes by POST /send.
 */
import { QueueEmpty, QueueShutDown } from '@tendril/core';
import type { Application } from '@tendril/wsgi';
import type { ChatEvent } from '../chat-event.js';
import { Lease } from '../lease.js';
import type { Lobby } from '../lobby.js';
import { Refusal } from '../refusal.js';
import { respondJson } from '../respond.js';
import type { Member } from '../room.js';

/** Milliseconds that a request waits. */
const patience = 25_000;
/** All events that are there, after waiting for the first. None if there was none in time. */
function collect({ events }: Member): ChatEvent[] {
  const collected: ChatEvent[] = [];
  try {
    collected.push(events.get({ timeout: patience }));
    while (!events.empty()) collected.push(events.getNowait());
  } catch (error) {
    if (error instanceof QueueShutDown) throw new Refusal('410 Gone', 'too slow');
    if (!(error instanceof QueueEmpty)) throw error;
  }
  return collected;
}

function enter(lobby: Lobby, query: string, grace: number): Member {
  const member = lobby.enter(query);
  member.lease = new Lease(grace, () => lobby.leave(member));
  return member;
}

/** @param grace milliseconds without a request after which a member has left */
export function longPoll(lobby: Lobby, grace: number): Application {
  return (environ, startResponse) => {
    const id = new URLSearchParams(environ.QUERY_STRING).get('id');
    const member = id === null ? enter(lobby, environ.QUERY_STRING, grace) : lobby.find(id);
    using _held = member.lease?.hold();
    return respondJson(startResponse, '200 OK', collect(member));
  };
}
