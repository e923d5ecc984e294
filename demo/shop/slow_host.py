"""A host outside of the shop: it takes its time, and nobody has told it of telemetry."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWER_S = 0.8


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # the name that http.server asks for
        time.sleep(ANSWER_S)
        body = b'{"score": 0.02}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


class SlowHost:
    """Serves on a free port of the loopback, in threads that end with the process. `url` is where."""

    def __init__(self) -> None:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
