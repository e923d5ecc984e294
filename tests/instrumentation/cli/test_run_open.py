"""``spanglass run --open``: the server that is there or is started, the page of the first request, and the end."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from loadgen.server import SPANGLASS, free_ports
from spanglass.cli import run
from spanglass.cli.client import UnreachableError
from spanglass.cli.errors import CliError
from spanglass.cli.opening.browser import has_window
from spanglass.cli.opening.opening import Opened, first_trace
from spanglass.cli.opening.opening import run as run_opened
from spanglass.cli.opening.server import find

TRACE = "0af7651916cd43dd8448eb211c80319c"

# Answers one request, stays until its page was opened, and ends with a code of its own.
PROGRAM = """
import pathlib, sys, time
from opentelemetry import trace
with trace.get_tracer("shop").start_as_current_span("GET /", kind=trace.SpanKind.SERVER):
    pass
until = time.monotonic() + 60
while not pathlib.Path("opened").exists() and time.monotonic() < until:
    time.sleep(0.05)
sys.exit(7)
"""


def test_a_server_is_started_and_the_first_request_opened(tmp_path):
    """Without a server one is started; the browser gets the trace's address; code and server end with the program."""
    (tmp_path / "shop.py").write_text(PROGRAM)
    browser = tmp_path / "browser"
    browser.write_text(
        f"#!{sys.executable}\nimport os, sys\nopen('seen', 'w').write(sys.argv[1])\nos.rename('seen', 'opened')\n"
    )
    browser.chmod(0o755)
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("SPANGLASS_", "OTEL_"))}
    done = subprocess.run(
        [SPANGLASS, "run", "--open", "--endpoint", url, "--set", "metrics=false", "shop.py"], cwd=tmp_path,
        env={**kept, "BROWSER": f"{browser} %s"}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert done.returncode == 7, done.stderr
    opened = (tmp_path / "opened").read_text()
    assert opened.startswith(f"{url}/traces/")
    assert f"the first request: {opened}" in done.stderr
    assert "spanglass serve --data spanglass-data" in done.stderr
    assert (tmp_path / "spanglass-data" / "serve.log").exists()
    with pytest.raises(UnreachableError):
        find(url, {}).get("/status")


def test_a_server_that_is_there_is_used(canned, tmp_path, monkeypatch):
    """Nothing is started beside it; a program that has ended before its trace could be read is waited for."""
    monkeypatch.chdir(tmp_path)
    canned.answer("/api/v1/status", {"version": "0.1.0"})
    canned.answer("/api/v1/traces", {"traces": [], "next_cursor": None})
    canned.answer("/api/v1/traces", {"traces": [{"trace_id": TRACE}], "next_cursor": None})
    opened = []
    program = Opened([sys.executable, "-c", "import sys; sys.exit(3)"], dict(os.environ), "shop", canned.url)
    code = run_opened(program, {"SPANGLASS_READ_TOKEN": "t"}, lambda url, _say: opened.append(url))

    assert (code, opened) == (3, [f"{canned.url}/traces/{TRACE}"])
    assert list(tmp_path.iterdir()) == []
    assert {request.headers["authorization"] for request in canned.received} == {"Bearer t"}


def test_the_first_request_is_asked_for_by_service_and_time(canned):
    """The oldest trace since the start, with the service's name as the filter language writes it."""
    canned.answer("/api/v1/traces", {"traces": []})
    assert first_trace(find(canned.url, {}), 'a "b" \\', 17, "kind = server") == ""
    (asked,) = canned.received
    filter_text = 'service.name = "a \\"b\\" \\\\" and kind = server'
    assert asked.parameters == {"filter": filter_text, "start": "17", "order": "asc", "limit": "1"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--keep-server", "app.py"], "--keep-server is about the server that --open starts"),
        (["--open", "--set", "protocol=grpc", "app.py"], "takes gRPC and has no pages"),
        (["--open", "--endpoint", "https://127.0.0.1:1", "app.py"], "no server answers at https://127.0.0.1:1"),
        (["--open", "--endpoint", "http://127.0.0.1:1/below", "app.py"], "no server answers at http://127.0.0.1:1/be"),
    ],
)
def test_what_can_not_be_opened_is_said(words, message, tmp_path, monkeypatch):
    """Only a plain address of this machine gets a server; gRPC has no pages; options that contradict are refused."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("SPANGLASS_", "OTEL_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "app.py").write_text("")
    with pytest.raises(CliError, match=message) as refused:
        run.command(words)
    assert refused.value.details  # what to do next


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"BROWSER": "firefox"}, "linux", True),
        ({"DISPLAY": ""}, "linux", False),
        ({}, "darwin", True),
    ],
)
def test_a_terminal_is_not_taken_over(environ, platform, expected):
    """Without a display a browser is only started that somebody named."""
    assert has_window(environ, platform) == expected
