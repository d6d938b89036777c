/** ChatServer: the pages, three transports, and one lobby behind them. */
import type { Listening } from '@tendril/core/server';
import { type Application, WSGIServer } from '@tendril/wsgi';
import { Lobby } from './lobby.js';
import { pages } from './pages.js';
import { leave, send } from './posted.js';
import { Refusal } from './refusal.js';
import { respondJson } from './respond.js';
import { eventStream } from './transports/event-stream.js';
import { longPoll } from './transports/long-poll.js';
import { webSocket } from './transports/web-socket.js';

export const transports = ['ws', 'sse', 'poll'] as const;
export type Transport = (typeof transports)[number];

type Routes = Readonly<Record<string, Application>>;

const defaultGrace = 3_000;

function routesOf(lobby: Lobby, options: ChatServerOptions): Routes {
  const { transports: offered = transports, pollGrace = defaultGrace } = options;
  return {
    ...pages,
    ...(offered.includes('ws') && { 'GET /socket': webSocket(lobby) }),
    ...(offered.includes('sse') && { 'GET /events': eventStream(lobby) }),
    ...(offered.includes('poll') && { 'GET /poll': longPoll(lobby, pollGrace) }),
    'POST /send': send(lobby),
    'POST /leave': leave(lobby),
  };
}

function routed(routes: Routes): Application {
  return (environ, startResponse) => {
    const { REQUEST_METHOD: method, PATH_INFO: path } = environ;
    try {
      const route = `${method} ${path}`;
      const app = Object.hasOwn(routes, route) ? routes[route] : undefined;
      if (!app) throw new Refusal('404 Not Found', 'nothing here');
      return app(environ, startResponse);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return respondJson(startResponse, error.status, { error: error.message });
    }
  };
}

export interface ChatServerOptions {
  /** Default all; pages find another when theirs is missing. */
  transports?: readonly Transport[];
  /** Milliseconds after which one who polls no more has left; default 3,000. */
  pollGrace?: number;
}

export class ChatServer extends WSGIServer {
  readonly #lobby: Lobby;

  constructor(where: Listening, options: ChatServerOptions = {}) {
    const lobby = new Lobby();
    super(where, routed(routesOf(lobby, options)), {
      maxBodySize: 16 * 1024,
      // A browser that goes ends its side of the connection, and resets nothing.
      killOnDisconnect: true,
    });
    this.#lobby = lobby;
  }

  protected override closeRest(): void {
    super.closeRest();
    this.#lobby.clear();
  }
}
