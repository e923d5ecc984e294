"""What handlers, formatters and sinks of the application see from inside is what they see without us."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "program_inside.py"
LIMIT_S = 180  # only a failure waits so long


class _Taking(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # so that connections stay open

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def address():
    """Where a server takes whatever is sent."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Taking)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def printed(address):
    """What the program prints, by itself and with us, beside each other: [(without, with)] of each part."""

    def run(*words):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPANGLASS_", "OTEL_"))}
        command = [sys.executable, "-W", "error", str(PROGRAM), *words]
        ended = subprocess.run(
            command,
            env={**kept, "SPANGLASS_CONSOLE": "off"},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=True,
        )
        assert ended.stderr == ""
        return json.loads(ended.stdout)

    without, ours = run("without"), run("with", address)
    assert without.keys() == ours.keys()
    return {part: (without[part], ours[part]) for part in without}


@pytest.mark.parametrize(
    "part", ["forwarded", "failing_sink", "stacks", "overridden", "errors_of_handlers", "exceptions", "tasks"]
)
def test_it_looks_as_without_us(printed, part):
    """Callers, stacks, extra values, errors of handlers, names of tasks and attributes of exceptions are the same."""
    without, ours = printed[part]

    assert without
    assert ours == without


def test_callers_are_found_by_logurus_recipe(printed):
    """The line of the application stands in loguru's text, and nothing of ours in `extra`."""
    _, ours = printed["forwarded"]

    assert [line.partition(" ")[2] for line in ours[:4]] == ["{} charged\n"] * 4
    assert ours[0].startswith("__main__:charge:")
    assert ours[4:] == [ours[4], {"order": 1}, "{'order': 1}"]


def test_the_root_logger_at_debug_shows_nothing_of_our_sending(printed):
    """What urllib3 writes about our own requests is not the application's output; children end without warnings."""
    assert printed["everything"] == (["app", "app"], ["app", "app"])
    assert printed["children"] == ([0, 0], [0, 0])
