"""The other side of the tests: python-peer.py KIND. Prints its address, then serves until its input ends."""

import os
import sys
import threading
import zmq

context = zmq.Context()
kinds = {"rep": zmq.REP, "pub": zmq.XPUB, "pull": zmq.PULL, "push": zmq.PUSH}


def serve(kind, socket):
    if kind == "rep":
        while True:
            socket.send_multipart([part.upper() for part in socket.recv_multipart()])
    if kind == "pub":
        socket.recv()  # the subscription
        for n in range(100):
            socket.send_multipart([b"odd" if n % 2 else b"even", str(n).encode()])
    if kind == "push":
        for n in range(1000):
            socket.send_multipart([str(n).encode(), b"", bytes([0, 255])])
    if kind == "pull":
        for n in range(1000):
            assert socket.recv_multipart() == [str(n).encode(), b"", bytes([0, 255])], n
        print("all received", flush=True)


kind = sys.argv[1]
socket = context.socket(kinds[kind])
socket.bind("tcp://127.0.0.1:" + (sys.argv[2] if len(sys.argv) > 2 else "*"))
print(socket.getsockopt_string(zmq.LAST_ENDPOINT), flush=True)
threading.Thread(target=serve, args=(kind, socket), daemon=True).start()
sys.stdin.read()
os._exit(0)
