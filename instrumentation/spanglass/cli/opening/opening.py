"""A program with its server: wait for its first request, open that page, and end when the program ends."""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass.cli.errors import CliError, Exit
from spanglass.cli.opening.browser import show
from spanglass.cli.opening.program import Program
from spanglass.cli.opening.server import LocalServer, answers, find

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass.cli.client import Client

    OpenPage = Callable[[str, Callable[[str], None]], None]

#: Between two looks for a request; the last one after the program has ended.
LOOK_S, LAST_LOOK_S = 0.5, 3.0
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

    ``open_page(url, say)`` is called once, when the first request can be read.
    """
    client = find(opened.url, surroundings)
    with contextlib.ExitStack() as stack:
        server = None
        if not answers(client):
            say(f"starting a server at {client.url} ...")
            server = stack.enter_context(LocalServer(client, surroundings))
            say(f"its data is in {server.data}, what it says in {server.log}")
        say(f"the page of the first request of {opened.service} opens when it has come; all pages: {client.url}")
        code = _run(opened, client, open_page, stays=server is None or opened.keep_server)
        if server and opened.keep_server:
            say(f"the program ended with code {code}; the server goes on at {client.url} until Ctrl-C")
            with contextlib.suppress(KeyboardInterrupt):
                server.wait()
        elif server:
            say("the server ends with the program; --keep-server leaves it on")
            say(f"what it has is kept, and shown by: spanglass serve --data {server.data}")
    return code


def _run(opened: Opened, client: Client, open_page: OpenPage, *, stays: bool) -> int:
    """Run the program; ``stays`` says whether there is a server to look at when it has ended."""
    begun_ns = time.time_ns()
    found = ""
    with Program(opened.words, opened.environ) as program:
        while (code := program.wait(None if found else LOOK_S)) is None:
            found = first_trace(client, opened.service, begun_ns, _WORK)
            if found:
                _show(client, found, open_page)
    until_s = time.monotonic() + LAST_LOOK_S
    while stays and not found and time.monotonic() < until_s:
        found = first_trace(client, opened.service, begun_ns, "")
        if found:
            _show(client, found, open_page)
        else:
            time.sleep(LOOK_S)
    return code


def _show(client: Client, trace_id: str, open_page: OpenPage) -> None:
    url = f"{client.url}/traces/{trace_id}"
    say(f"the first request: {url}")
    open_page(url, say)


def first_trace(client: Client, service: str, since_ns: int, condition: str) -> str:
    """Return the id of the first trace of a service since a time, empty if none has come; a busy server is no error."""
    quoted = service.replace("\\", "\\\\").replace('"', '\\"')
    conditions = [f'service.name = "{quoted}"', *([condition] if condition else [])]
    asked = {"filter": " and ".join(conditions), "start": str(since_ns), "order": "asc", "limit": 1}
    try:
        listed = client.get("/traces", asked)["traces"]
    except CliError as error:
        if error.code == Exit.USAGE:
            raise
        return ""
    return str(listed[0]["trace_id"]) if listed else ""


def say(line: str) -> None:
    """Tell the user, apart from what the program prints."""
    print(f"spanglass run: {line}", file=sys.stderr, flush=True)
