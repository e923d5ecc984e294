"""A real Alertmanager, what it is given, and what it tells a sink."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import time
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

NAME = "prometheus-alertmanager"
_LISTENING = re.compile(r"Listening on.*address=(\S+)")


class _Server(ThreadingHTTPServer):
    """All groups of all cases are told at about the same time."""

    request_queue_size = 1024
    daemon_threads = True
    block_on_close = False


class Sink:
    """Takes webhooks: path and body of each, with the time in seconds since 1970."""

    def __init__(self) -> None:
        sink = self
        self.got: list[tuple[float, str, dict[str, Any]]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                sink.got.append((time.time(), self.path.removeprefix("/"), json.loads(body)))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Alertmanager:
    """Alertmanager's API at an address."""

    def __init__(self, url: str) -> None:
        self.url = url

    def post(self, path: str, body: Any) -> None:
        """Post JSON, or fail with what it says."""
        request = urllib.request.Request(  # noqa: S310 - it is on the loopback address
            f"{self.url}/api/v2/{path}", json.dumps(body).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            answer.read()


@contextmanager
def running(configuration: str, directory: Path) -> Iterator[Alertmanager]:
    """Start one with a configuration, on a port of its own, and end it."""
    file = directory / "alertmanager.yml"
    file.write_text(configuration)
    arguments = [
        shutil.which(NAME) or NAME,
        f"--config.file={file}",
        f"--storage.path={directory / 'alertmanager'}",
        "--web.listen-address=127.0.0.1:0",
        "--cluster.listen-address=",
    ]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said: list[str] = []
        try:
            for line in process.stderr:
                said.append(line)
                found = _LISTENING.search(line)
                if found is not None:
                    threading.Thread(target=process.stderr.read, daemon=True).start()
                    yield Alertmanager(f"http://{found[1]}")
                    break
            else:
                raise AssertionError("".join(said))
        finally:
            process.terminate()


def accepts(files: Sequence[Path]) -> list[bool]:
    """Whether Alertmanager's own check accepts each file."""
    amtool = shutil.which("amtool") or "amtool"
    runs = [
        subprocess.Popen([amtool, "check-config", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for file in files
    ]
    return [run.wait(timeout=30) == 0 for run in runs]


def rfc3339(seconds: float) -> str:
    """A time as it is written in the API."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
