"""The application for servers that import it: they listen before they do, so that it can say so."""
from http_app import application  # noqa: F401

print("ready", flush=True)
