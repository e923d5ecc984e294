"""A program with its server: wait for its first request, open that page, and end when the program ends."""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from spanglass.cli.errors import CliError
from spanglass.cli.opening.browser import show
from spanglass.cli.opening.program import Program
from spanglass.cli.opening.server import LocalServer, answers, find
from spanglass.cli.opening.signals import SignalledError, Signals

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence

    from spanglass.cli.client import Client

    OpenPage = Callable[[str, Callable[[str], None]], threading.Thread | None]

#: Between two looks for a request; the last one after the program has ended.
LOOK_S, LAST_LOOK_S = 0.5, 3.0
_BROWSER_S = 2.0  # a browser that is being started when the program ends is waited for, not one that goes on
_SECOND_NS = 10**9
# Requests, messages, jobs; not the calls that a program makes while it starts.
_WORK = "(kind = server or kind = consumer or kind = internal)"


@dataclass(frozen=True, slots=True)
class Opened:
    """What is run: the program's words and its environment, its service, and where it sends.

    ``keep_server``: a server that was started for it goes on when the program has ended, until Ctrl-C.
    """

    words: Sequence[str]
    environ: Mapping[str, str]
    service: str
    url: str
    keep_server: bool = False


def run(opened: Opened, surroundings: Mapping[str, str], open_page: OpenPage = show) -> int:
    """Run it and return its exit code. ``surroundings`` is the server's environment; ``CliError`` when none is there.

    ``open_page(url, say)`` is called once, when the first request can be read; a thread that it returns is waited for
    a little. A signal that ends us ends the program and the server that was started first.
    """
    with Signals() as signals:
        try:
            return _run_with_server(opened, surroundings, open_page, signals)
        except SignalledError as error:
            say(str(error))
            return error.code


def _run_with_server(opened: Opened, surroundings: Mapping[str, str], open_page: OpenPage, signals: Signals) -> int:
    client = find(opened.url, surroundings)
    with contextlib.ExitStack() as stack:
        server = None
        if not answers(client):
            say(f"starting a server at {client.url} ...")
            server = stack.enter_context(LocalServer(client, surroundings))
            say(f"its data is in {server.data}, what it says in {server.log}")
        say(f"the page of the first request of {opened.service} opens when it has come; all pages: {client.url}")
        watch = _Watch(client, opened.service, open_page)
        code = _run(opened, watch, signals, stays=server is None or opened.keep_server)
        if server and opened.keep_server and not signals.asked_to_end:
            say(f"the program ended with code {code}; the server goes on at {client.url} until Ctrl-C")
            with contextlib.suppress(KeyboardInterrupt):
                server.wait()
        elif server:
            say("the server ends with the program; --keep-server leaves it on")
            say(f"what it has is kept, and shown by: spanglass serve --data {server.data}")
    return code


def _run(opened: Opened, watch: _Watch, signals: Signals, *, stays: bool) -> int:
    """Run the program; ``stays`` says whether there is a server to look at when it has ended."""
    with Program(opened.words, opened.environ) as program, signals.passed_to(program.take):
        while (code := program.wait(None if watch.found else LOOK_S)) is None:
            watch.look(_WORK)
    until_s = time.monotonic() + LAST_LOOK_S
    while stays and not watch.found and not signals.asked_to_end and time.monotonic() < until_s:
        watch.look("")
        if not watch.found:
            time.sleep(LOOK_S)
    watch.end()
    return code


class _Watch:
    """Looks for the first request of a service, and opens its page."""

    def __init__(self, client: Client, service: str, open_page: OpenPage) -> None:
        self._client = client
        self._service = service
        self._open_page = open_page
        self._begun_ns = min(time.time_ns(), server_time_ns(client))
        self._opening: threading.Thread | None = None
        self.found = ""

    def look(self, condition: str) -> None:
        """Open the page of the first trace that meets a condition, once there is one."""
        # Times of spans are of the program's clock, those of this machine; a server's may be behind, or ahead.
        window = self._begun_ns, time.time_ns() + _SECOND_NS
        self.found = first_trace(self._client, self._service, window, condition)
        if self.found:
            url = f"{self._client.url}/traces/{self.found}"
            say(f"the first request: {url}")
            self._opening = self._open_page(url, say)

    def end(self) -> None:
        """Wait for a browser that is being started: it would end with us."""
        if self._opening is not None:
            self._opening.join(_BROWSER_S)


def server_time_ns(client: Client) -> int:
    """Return a server's time as its answers tell it, to the second; that of this machine where none does."""
    with contextlib.suppress(CliError, ValueError):
        told = client.request("GET", "/readyz").headers.get("date", "")
        return int(parsedate_to_datetime(told).timestamp()) * _SECOND_NS
    return time.time_ns()


def first_trace(client: Client, service: str, window: tuple[int, int], condition: str) -> str:
    """Return the id of the first trace of a service in a window of time, empty if none can be read (yet).

    Whatever the server answers, the program is not to end for it.
    """
    quoted = service.replace("\\", "\\\\").replace('"', '\\"')
    conditions = [f'service.name = "{quoted}"', *([condition] if condition else [])]
    start, end = map(str, window)
    asked = {"filter": " and ".join(conditions), "start": start, "end": end, "order": "asc", "limit": 1}
    try:
        listed = client.get("/traces", asked)["traces"]
    except CliError:
        return ""
    return str(listed[0]["trace_id"]) if listed else ""


def say(line: str) -> None:
    """Tell the user, apart from what the program prints."""
    print(f"spanglass run: {line}", file=sys.stderr, flush=True)
