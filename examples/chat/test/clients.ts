/** Chat clients without a browser: one for each transport, all with the same face. */
import { wait } from '@tendril/core';
import { connect } from '@tendril/websocket';
import type { ChatEvent, Welcome } from '#src/chat-event.js';
import type { Transport } from '#src/chat-server.js';

/** Milliseconds: stands for "hangs", also on a machine that others keep busy. */
const timeout = 60_000;

export interface Client extends Disposable {
  /** The next event; undefined when the server has ended the connection. */
  next(): ChatEvent | undefined;
  say(text: string): void;
}

export function post(origin: string, path: string, body: unknown): number {
  const request = { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) };
  return wait((signal) => fetch(origin + path, { ...request, signal }), { timeout }).status;
}

function webSocket(origin: string, query: string): Client {
  const socket = connect(`${origin.replace('http', 'ws')}/socket?${query}`);
  return {
    next: () => {
      const message = socket.receive({ timeout });
      return message === undefined ? undefined : JSON.parse(String(message));
    },
    say: (text) => socket.send(text),
    [Symbol.dispose]: () => socket.close(),
  };
}

/** Chunks of a response's body as text. */
function* texts(response: Response): Generator<string> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { done, value } = wait(reader.read(), { timeout });
    if (done) return;
    yield decoder.decode(value, { stream: true });
  }
}

function* frames(response: Response): Generator<ChatEvent> {
  let unread = '';
  for (const text of texts(response)) {
    const parts = (unread + text).split('\n\n');
    unread = parts.pop() as string;
    for (const part of parts) if (part.startsWith('data: ')) yield JSON.parse(part.slice(6));
  }
}

function eventStream(origin: string, query: string): Client {
  const abort = new AbortController();
  const { signal } = abort;
  const response = wait(fetch(`${origin}/events?${query}`, { signal }), { timeout });
  const events = frames(response);
  let id = '';
  return {
    next: () => {
      const event = events.next().value as ChatEvent | undefined;
      if (event?.type === 'welcome') id = event.id;
      return event;
    },
    say: (text) => void post(origin, '/send', { id, text }),
    [Symbol.dispose]: () => abort.abort(),
  };
}

function longPoll(origin: string, query: string): Client {
  const unread: ChatEvent[] = [];
  let asked = query;
  let id = '';
  return {
    next: () => {
      while (unread.length === 0) {
        const response = wait((signal) => fetch(`${origin}/poll?${asked}`, { signal }), {
          timeout,
        });
        if (!response.ok) return undefined;
        unread.push(...(wait(response.json()) as ChatEvent[]));
        const welcome = unread.find((each): each is Welcome => each.type === 'welcome');
        if (welcome) id = welcome.id;
        asked = `id=${id}`;
      }
      return unread.shift();
    },
    say: (text) => void post(origin, '/send', { id, text }),
    [Symbol.dispose]: () => void post(origin, '/leave', { id }),
  };
}

const makers = { ws: webSocket, sse: eventStream, poll: longPoll };

export function enter(origin: string, transport: Transport, name: string, room = 'test'): Client {
  return makers[transport](origin, new URLSearchParams({ name, room }).toString());
}
