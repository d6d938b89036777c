"""An echo server, as its documentation has it: prints its port."""
from gevent.server import StreamServer


def echo(socket, _address):
    while True:
        data = socket.recv(65536)
        if not data:
            return
        socket.sendall(data)


server = StreamServer(("127.0.0.1", 0), echo, backlog=1024)
server.start()
print(server.server_port, flush=True)
server.serve_forever()
