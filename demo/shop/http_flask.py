"""Serving a Flask app the way the shop does: threaded, on its own port."""

from __future__ import annotations

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from shop import layout


class _KeepAlive(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"


def make_app(name: str) -> Flask:
    """Make a Flask app with a health check."""
    app = Flask(name)
    app.add_url_rule("/healthz", "healthz", lambda: {"ok": True})
    return app


def serve(app: Flask, name: str) -> None:
    """Serve `app` on the port of service `name` until SIGTERM."""
    make_server("127.0.0.1", layout.port(name), app, threaded=True, request_handler=_KeepAlive).serve_forever()
