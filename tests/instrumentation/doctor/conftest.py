"""``spanglass doctor`` as a process, a folder of made-up distributions, and servers that answer as they are told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from loadgen.server import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIXES = ("SPANGLASS_", "OTEL_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "NO_COLOR")


def surroundings(**more):
    """Make an environment with nothing of the developer's own telemetry or proxies."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIXES)}
    return {**kept, "PYTHONWARNINGS": "error", "SPANGLASS_STRICT": "1", **more}


class Found(dict):
    """What doctor printed."""

    def of(self, area):
        """Return the findings of an area as [severity, text, remedy]."""
        return [[each["severity"], each["text"], each["remedy"]] for each in self["findings"] if each["area"] == area]


@pytest.fixture(name="surroundings")
def surroundings_fixture():
    """Make an environment with nothing of the developer's own telemetry or proxies."""
    return surroundings()


@pytest.fixture
def run(tmp_path):
    """Run ``spanglass WORDS`` with ``tmp_path`` on the path of modules."""

    def call(*words, prelude="", **environ):
        code = f"import sys\n{prelude}\nfrom spanglass.cli.main import main\nsys.exit(main({list(words)!r}))"
        return subprocess.run(
            [sys.executable, "-c", code],
            env=surroundings(PYTHONPATH=str(tmp_path), **environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=tmp_path,
        )

    return call


@pytest.fixture
def doctor(run):
    """Run ``spanglass doctor --json``; gives what it printed, with the exit code under ``exit``.

    Libraries are imported to see whether their instrumentations can be, a second each time, only with ``libraries``.
    """

    def call(*words, libraries=False, **options):
        options = options if libraries else {"SPANGLASS_INSTRUMENT": "false", **options}
        result = run("doctor", "--json", *words, **options)
        assert result.stderr == ""
        return Found(json.loads(result.stdout) | {"exit": result.returncode})

    return call


@pytest.fixture
def distribution(tmp_path):
    """Install a made-up distribution into ``tmp_path``: metadata, an entry point, and its module if given."""

    def make(name, *, version="1.0", code=None, entry=None, requires=()):
        module = name.replace("-", "_")
        info = tmp_path / f"{module}-{version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", "Provides-Extra: instruments"]
        (info / "METADATA").write_text("\n".join([*lines, *(f"Requires-Dist: {each}" for each in requires), ""]))
        if entry:
            (info / "entry_points.txt").write_text(f"[opentelemetry_instrumentor]\n{entry} = {module}:Instrumentor\n")
        if code is not None:
            (tmp_path / f"{module}.py").write_text(textwrap.dedent(code))

    return make


@dataclass
class Canned:
    """A server that gives every request one answer."""

    url: str = ""
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/x-protobuf"})
    received: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    go: threading.Event = field(default_factory=threading.Event)


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        canned = self.server.canned
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        canned.received.append((self.command, self.path, {name.lower(): each for name, each in self.headers.items()}))
        canned.go.wait(60)
        self.send_response_only(canned.status)
        for name, value in {**canned.headers, "Content-Length": str(len(canned.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(canned.body)

    do_GET = do_HEAD = do_POST  # noqa: N815 - names that http.server looks for

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def canned() -> Iterator[Canned]:
    """Run a server that answers at once; clear ``go`` to have it hang."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.canned = Canned(f"http://127.0.0.1:{server.server_port}")
    server.canned.go.set()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server.canned
    server.canned.go.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> Iterator[ServerProcess]:
    """Run a real server with both tokens."""
    folder = tmp_path_factory.mktemp("server") / "data"
    tokens = {"ingest.token": "ingest-secret", "read.token": "read-secret"}
    with ServerProcess(folder, tokens) as server:
        yield server
