// A host that answers late: it listens, tells its port and its pid, and fills its own queue; who stops this
// process (SIGSTOP) makes the kernel leave further handshakes unanswered until it goes on (SIGCONT).
import net from 'node:net';

const [, , host] = process.argv;
const server = net.createServer((socket) => socket.on('error', () => {}).end('late'));
server.listen({ host, port: 0, backlog: 1 }, () => console.log(server.address().port));
