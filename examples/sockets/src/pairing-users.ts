/** Simulated users for the pairing server: `pairing-users <port> <count>`. Talks to its parent by lines. */
import net from 'node:net';
import readline from 'node:readline';

const [port, count] = process.argv.slice(2).map(Number) as [number, number];
/** Connections that are being opened at a time. */
const opening = 200;

interface User {
  socket: net.Socket;
  heard: string[];
  onLine?: (() => void) | undefined;
}

function open(): Promise<User> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(user));
    const user: User = { socket, heard: [] };
    socket.once('error', reject);
    readline.createInterface({ input: socket }).on('line', (line) => {
      user.heard.push(line);
      user.onLine?.();
    });
  });
}

function hears(user: User, line: string): Promise<void> {
  return new Promise((resolve) => {
    user.onLine = () => user.heard.includes(line) && resolve();
    user.onLine();
  });
}

const users: User[] = [];
while (users.length < count) {
  const some = Math.min(opening, count - users.length);
  const opened = await Promise.all(Array.from({ length: some }, open));
  // One after the other, so that neighbours become pairs.
  for (const user of opened) user.socket.write('hello\n');
  await Promise.all(opened.map((user) => hears(user, '* somebody is there')));
  users.push(...opened);
}
console.log('connected');

const commands = readline.createInterface({ input: process.stdin });
for await (const command of commands) {
  if (command !== 'talk') break;
  for (const [i, user] of users.entries()) user.socket.write(`from ${i}\n`);
  const heard = users.map(
    (user) =>
      new Promise<void>((resolve) => {
        user.onLine = () => user.heard.some((line) => line.startsWith('from ')) && resolve();
        user.onLine();
      }),
  );
  await Promise.all(heard);
  console.log('heard');
}
for (const user of users) user.socket.destroy();
