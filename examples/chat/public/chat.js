import { transports } from './transports.js';

/** Milliseconds for the server's first word; a proxy may swallow what a transport needs. */
const patience = 4000;
const [shortest, longest] = [500, 8000];

const parameters = new URLSearchParams(location.search);
const room = parameters.get('room') || 'lobby';
let name = parameters.get('name');
const asked = parameters.get('transport');
const candidates = Object.hasOwn(transports, asked ?? '') ? [asked] : Object.keys(transports);

const $ = (id) => document.getElementById(id);
const members = new Set();
let connection;
let delay = shortest;
/** The newest message that is shown: after a reconnection the history brings some again. */
let newest = 0;

// What others have written becomes text, never markup.
function element(tag, text, className = '') {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

function log(...children) {
  const atEnd = $('log').scrollTop + $('log').clientHeight >= $('log').scrollHeight - 20;
  const line = document.createElement('li');
  line.append(...children);
  $('log').append(line);
  while ($('log').childElementCount > 500) $('log').firstElementChild.remove();
  if (atEnd) line.scrollIntoView();
}

const notice = (text) => log(element('span', text, 'notice'));

function showMembers() {
  $('members').replaceChildren(...[...members].sort().map((each) => element('li', each)));
}

function setStatus(text, transport = '') {
  $('status').textContent = text;
  document.body.dataset.transport = transport;
}

const handlers = {
  welcome(event) {
    name = event.name;
    delay = shortest;
    members.clear();
    for (const each of event.members) members.add(each);
    for (const message of event.history) handlers.message(message);
    setStatus(`${name}, by ${candidates[0]}`, candidates[0]);
  },
  message({ number, from, text, time }) {
    if (number <= newest) return;
    newest = number;
    const clock = element('time', new Date(time).toLocaleTimeString());
    log(clock, ' ', element('b', from), ' ', element('span', text, 'text'));
  },
  joined(event) {
    members.add(event.name);
    notice(`${event.name} joined`);
  },
  left(event) {
    members.delete(event.name);
    notice(`${event.name} left`);
  },
  renamed({ from, to }) {
    members.delete(from);
    members.add(to);
    if (from === name) name = to;
    notice(`${from} is ${to} now`);
  },
  refused: ({ text }) => notice(text),
};

function connect() {
  let welcome = false;
  let over = false;
  const gone = () => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    connection.close();
    setStatus('connecting');
    if (!welcome && candidates.length > 1) {
      candidates.shift();
      connect();
    } else {
      setTimeout(connect, delay);
      delay = Math.min(delay * 2, longest);
    }
  };
  const timer = setTimeout(gone, patience);
  const event = (what) => {
    if (over) return;
    if (what.type === 'welcome') welcome = true;
    clearTimeout(timer);
    handlers[what.type]?.(what);
    showMembers();
  };
  connection = transports[candidates[0]](new URLSearchParams({ room, name }), { event, gone });
}

async function say(event) {
  event.preventDefault();
  const text = $('text').value;
  $('text').value = '';
  try {
    if (text.trim() !== '') await connection.send(text);
  } catch (error) {
    $('text').value ||= text;
    notice(`not sent: ${error.message}`);
  }
}

if (name) {
  $('chat').hidden = false;
  $('room').textContent = room;
  $('say').addEventListener('submit', say);
  addEventListener('pagehide', () => connection.close());
  // A page that comes back from the cache of the browser has no connection any more.
  addEventListener('pageshow', (event) => event.persisted && location.reload());
  connect();
  $('text').focus();
} else {
  $('enter').hidden = false;
  $('enter').elements.name.focus();
}
