"""An application that runs without private names of the SDK, in processes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from spanglass.sdk.private.features import FEATURES

if TYPE_CHECKING:
    from collections.abc import Iterator


class Takes(BaseHTTPRequestHandler):
    """Takes whatever is sent."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        """Answer that it was stored."""
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """Yield the address of a server that takes everything."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Takes) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def without(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what came of the application, by what was lost; ``all`` without any of the names, ``none`` with all."""
    program = Path(__file__).parent / "hiding.py"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPANGLASS_", "OTEL_"))}
    done = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, check=True, cwd=tmp_path_factory.mktemp("hiding"),
        env=kept | {"SPANGLASS_ENDPOINT": endpoint, "SPANGLASS_CONSOLE": "off"},
    )  # fmt: skip
    made = [json.loads(line) for line in done.stdout.splitlines()]
    return dict(zip([*(feature.lost for feature in FEATURES), "all", "none"], made, strict=True))
