"""A real HTTP server with canned answers in the shape of docs/api.md, and the real command as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest


@dataclass
class Received:
    """One request as it came."""

    method: str
    path: str
    parameters: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Canned:
    """Answers by path, each used once until the last one, which stays; and what was asked."""

    url: str = ""
    answers: dict[str, list[tuple[int, bytes, dict[str, str]]]] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def answer(self, path, content, status=200, headers=None):
        """Add an answer for a path."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.answers.setdefault(path, []).append((status, body, headers or {}))

    def wait_for(self, count):
        """Wait until so many requests have come."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.received) >= count, timeout=30)

    def take(self, path):
        """Return the next answer of a path."""
        queue = self.answers.get(path, [(500, b"no canned answer", {})])
        return queue.pop(0) if len(queue) > 1 else queue[0]


def _handler(canned):
    class Handler(BaseHTTPRequestHandler):
        def _answer(self):
            target = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            parameters = dict(parse_qsl(target.query))
            with canned.arrived:
                canned.received.append(Received(self.command, target.path, parameters, headers, body))
                canned.arrived.notify_all()
            status, content, extra = canned.take(target.path)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **extra}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - names that http.server looks for

        def log_message(self, *_arguments):
            """Keep the test's output clean."""

    return Handler


@pytest.fixture
def canned():
    """Run a server on a free port of the loopback address."""
    state = Canned()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state))
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


def environment(**more):
    """Make the environment of a command: nothing of the developer's own settings, and a zone that is not UTC."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPANGLASS_", "NO_COLOR"))}
    return {**kept, "TZ": "Asia/Kolkata", "PYTHONUTF8": "1", "PYTHONWARNINGS": "error", **more}


@pytest.fixture
def command(canned):
    """Make the environment of a command that talks to the canned server, for tests that start it themselves."""
    return environment(SPANGLASS_URL=canned.url)


@pytest.fixture
def run(canned):
    """Run ``spanglass WORDS`` against the canned server."""

    def call(*words, stdin=b"", url=None, **more):
        return subprocess.run(
            [sys.executable, "-m", "spanglass.cli.main", *words],
            env=environment(SPANGLASS_URL=url or canned.url, **more),
            input=stdin,
            capture_output=True,
            timeout=180,
            check=False,
        )

    return call
