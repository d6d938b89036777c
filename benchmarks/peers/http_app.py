"""The application of the HTTP benchmark, for every WSGI server that has gevent's loop."""
import json
from pathlib import Path

from gevent import sleep

payload = json.loads((Path(__file__).parent / "payload.json").read_text())
large = b"x" * 65536


def application(environ, start_response):
    path = environ["PATH_INFO"]
    content_type = "text/plain"
    if path == "/hello":
        body = b"Hello World\n"
    elif path == "/json":
        content_type = "application/json"
        body = json.dumps(payload, separators=(",", ":")).encode()
    elif path == "/large":
        body = large
    elif path == "/length":
        body = str(len(environ["wsgi.input"].read())).encode()
    elif path.startswith("/sleep/"):
        sleep(int(path[7:]) / 1000)
        body = b"Hello World\n"
    else:
        start_response("404 Not Found", [("Content-Length", "0")])
        return []
    headers = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]
