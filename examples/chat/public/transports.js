// Three ways to the server. Each takes a query string and two callbacks: on.event(event) for what the
// server says, on.gone() when the connection is lost; and returns { send(text), close() }.

/** @param {string} path @param {object} value */
async function post(path, value) {
  const response = await fetch(path, { method: 'POST', body: JSON.stringify(value) });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
}

function webSocket(query, on) {
  const url = `${location.origin.replace(/^http/, 'ws')}/socket?${query}`;
  const socket = new WebSocket(url);
  socket.onmessage = ({ data }) => on.event(JSON.parse(data));
  socket.onclose = () => on.gone();
  return {
    async send(text) {
      if (socket.readyState !== WebSocket.OPEN) throw new Error('not connected');
      socket.send(text);
    },
    close() {
      socket.onclose = socket.onmessage = null;
      socket.close();
    },
  };
}

function eventStream(query, on) {
  let id;
  const source = new EventSource(`/events?${query}`);
  source.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    if (event.type === 'welcome') id = event.id;
    on.event(event);
  };
  // It would connect again by itself, and for ever; here that is one matter for all transports.
  source.onerror = () => {
    source.close();
    on.gone();
  };
  return {
    send: (text) => post('/send', { id, text }),
    close: () => source.close(),
  };
}

function longPoll(query, on) {
  let id;
  let open = true;
  const abort = new AbortController();
  const poll = async () => {
    const asked = id === undefined ? query : new URLSearchParams({ id });
    const response = await fetch(`/poll?${asked}`, { signal: abort.signal });
    if (!response.ok) throw new Error(`/poll: ${response.status}`);
    for (const event of await response.json()) {
      if (event.type === 'welcome') id = event.id;
      on.event(event);
    }
  };
  const pollOn = async () => {
    try {
      while (open) await poll();
    } catch {
      if (open) on.gone();
    }
  };
  pollOn();
  return {
    send: (text) => post('/send', { id, text }),
    close() {
      open = false;
      abort.abort();
      // A page that is closed gets no answer any more, but a beacon gets out.
      if (id !== undefined) navigator.sendBeacon('/leave', JSON.stringify({ id }));
    },
  };
}

/** In the order in which they are tried. */
export const transports = { ws: webSocket, sse: eventStream, poll: longPoll };
