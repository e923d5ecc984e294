"""Serving a Flask app the way the shop does: instrumented, threaded, on its own port."""

from __future__ import annotations

from flask import Flask
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from werkzeug.serving import WSGIRequestHandler, make_server

from shop import layout


class _KeepAlive(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"


def make_app(name: str) -> Flask:
    """Make an instrumented Flask app with a health check that leaves no traces."""
    app = Flask(name)
    FlaskInstrumentor().instrument_app(app, excluded_urls="healthz")  # type: ignore[no-untyped-call]  # it has no types
    app.add_url_rule("/healthz", "healthz", lambda: {"ok": True})
    return app


def serve(app: Flask, name: str) -> None:
    """Serve `app` on the port of service `name` until SIGTERM."""
    make_server("127.0.0.1", layout.port(name), app, threaded=True, request_handler=_KeepAlive).serve_forever()
