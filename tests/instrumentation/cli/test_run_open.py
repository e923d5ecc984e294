"""``spanglass run --open``: the server that is there or is started, the page of the first request, and the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from loadgen.server import SPANGLASS, free_ports
from spanglass.cli import run
from spanglass.cli.client import UnreachableError
from spanglass.cli.errors import CliError
from spanglass.cli.opening import opening, server
from spanglass.cli.opening.browser import has_window, show
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
    assert first_trace(find(canned.url, {}), 'a "b" \\', (17, 19), "kind = server") == ""
    (asked,) = canned.received
    filter_text = 'service.name = "a \\"b\\" \\\\" and kind = server'
    assert asked.parameters == {"filter": filter_text, "start": "17", "end": "19", "order": "asc", "limit": "1"}


def test_what_the_server_answers_does_not_end_the_program(canned, tmp_path, monkeypatch):
    """Refusals are waited out; the range begins at the server's time where its clock is behind, and is never empty."""
    monkeypatch.chdir(tmp_path)
    canned.answer("/api/v1/status", {"version": "0.1.0"})
    canned.answer("/readyz", {}, headers={"Date": "Sat, 01 Jan 2000 00:00:00 GMT"})
    for status in (400, 404, 500):
        canned.answer("/api/v1/traces", {"error": {"code": "bad_request", "message": "no"}}, status=status)
    canned.answer("/api/v1/traces", b"no JSON")
    canned.answer("/api/v1/traces", {"traces": [{"trace_id": TRACE}], "next_cursor": None})
    monkeypatch.setattr(opening, "LOOK_S", 0.01)
    waits = "import pathlib, time\nwhile not pathlib.Path('opened').exists(): time.sleep(0.01)"
    program = Opened([sys.executable, "-c", waits], dict(os.environ), "shop", canned.url)
    before_ns = time.time_ns()

    def open_page(*_):
        (tmp_path / "opened").write_text("")

    code = run_opened(program, {}, open_page)

    asked = [request.parameters for request in canned.received if request.path == "/api/v1/traces"]
    assert (code, len(asked)) == (0, 5)
    assert all(int(one["start"]) < 10**18 < before_ns < int(one["end"]) for one in asked)


def test_a_browser_that_is_being_started_is_waited_for(canned, monkeypatch):
    """A program that ends while the browser starts leaves it time to: its thread would end with the process."""
    canned.answer("/api/v1/status", {"version": "0.1.0"})
    canned.answer("/api/v1/traces", {"traces": [{"trace_id": TRACE}], "next_cursor": None})
    monkeypatch.setenv("BROWSER", "one")
    ready, seen = threading.Event(), []
    monkeypatch.setattr(opening, "_BROWSER_S", 60)
    monkeypatch.setattr("webbrowser.open", lambda url: ready.wait(60) and seen.append(url) is None)

    def open_page(url, say):
        thread = show(url, say)
        threading.Timer(0.05, ready.set).start()
        return thread

    program = Opened([sys.executable, "-c", ""], dict(os.environ), "shop", canned.url)
    assert run_opened(program, {}, open_page) == 0
    assert seen == [f"{canned.url}/traces/{TRACE}"]


@pytest.mark.parametrize("moment", ["while it starts", "while it is kept"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_no_server_is_left_behind_by_a_signal(moment, number, tmp_path, monkeypatch):
    """A signal that ends us while no program runs ends the server that we started, whenever it comes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(opening, "LAST_LOOK_S", 0)
    started, popen = [], subprocess.Popen
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]

    def start(command, **options):
        if "serve" not in command:
            return popen(command, **options)
        started.append(popen(sleeper, **options))
        return started[-1]

    def is_ready(_):
        if moment == "while it starts":
            os.kill(os.getpid(), number)
        return True

    monkeypatch.setattr(subprocess, "Popen", start)
    monkeypatch.setattr(server.LocalServer, "_is_ready", is_ready)
    monkeypatch.setattr(server.LocalServer, "wait", lambda self: (os.kill(os.getpid(), number), self._process.wait(60)))
    program = Opened([sys.executable, "-c", ""], dict(os.environ), "shop", "http://127.0.0.1:1", keep_server=True)
    before = signal.signal(number, signal.SIG_DFL)  # under nohup the tests' own process ignores SIGHUP
    try:
        assert run_opened(program, dict(os.environ), lambda *_: None) == 128 + number
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)
    assert [process.poll() for process in started] == [-signal.SIGTERM]


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
