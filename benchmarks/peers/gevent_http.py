"""gevent.pywsgi: `gevent_http.py <port> [nodelay]`. With nodelay also a backlog that holds every client."""
import socket
import sys

from gevent.pywsgi import WSGIServer

from http_app import application

port, nodelay = int(sys.argv[1]), "nodelay" in sys.argv[2:]
server = WSGIServer(
    ("127.0.0.1", port), application, backlog=1024 if nodelay else None, log=None
)
server.start()
if nodelay:
    # Accepted sockets take it from the one that listens.
    server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
print("ready", flush=True)
server.serve_forever()
