"""Do two builds answer alike? The same questions of both, byte for byte but for clocks and rounding."""

from __future__ import annotations

import json
import math
import re
import shutil
import time
import urllib.parse
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loadgen.comparing.answer_questions import questions
from loadgen.prepared import Stream
from loadgen.scenario import NS, split
from loadgen.sending import Sender
from loadgen.server import Answer, ServerProcess
from loadgen.transports import factory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from loadgen.comparing.answer_questions import Asked
    from loadgen.comparing.builds import Build
    from loadgen.prepared import Bodies

#: Fields that say how long the server took.
TIMED = {"elapsed_ms"}
#: What only the build that made it reads: whether there is one is compared, not what it says.
CURSORS = {"next_cursor", "newest_cursor"}
#: Times by the server's clock: when an exception was put into its issue.
CLOCKED = re.compile(r"\.activity\[\d+\]\.time")
#: DuckDB adds up in parallel, in no fixed order: one build's own answers differ in the last two digits.
_ROUNDING = 1e-13
_SHOWN = 3
_SMALL = 10
_COPIED = "a directory of the base"
_WAIT_S = 90.0
#: Nothing comes in by itself: no rules, whose alerts have random ids; nothing leaves the memory before it is asked.
_QUIET = {"alerting.shipped": "false", "health.enabled": "false"}
_IN_MEMORY = _QUIET | {"storage.flush_interval": "1h", "storage.flush_bytes": "4GiB"}
_AT_ONCE = _QUIET | {"storage.flush_interval": "1s"}


class Items:
    """Requests that are kept in memory, each with its number of records."""

    def __init__(self, items: Iterable[tuple[bytes, int]]) -> None:
        self.items = list(items)

    def __len__(self) -> int:
        return len(self.items)

    def item(self, position: int) -> tuple[bytes, int]:
        """Return one request and its number of records."""
        return self.items[position]


def small_requests(stream: Stream) -> Iterator[tuple[bytes, int]]:
    """Yield a stream of traces, every other body in requests of ten spans, as small senders do."""
    for position in range(len(stream)):
        body, spans = stream.item(position)
        parts = split(body, _SMALL) if position % 2 else [body]
        yield from ((part, spans // len(parts)) for part in parts)


@dataclass(frozen=True)
class Check:
    """What is compared: two builds, over ``count`` prepared bodies of each kind, with data directories in ``folder``.

    ``data`` names a data directory of the base that is copied, instead of one that is made, and ``window`` its times.
    """

    base: Build
    new: Build
    bodies: Callable[[str], Bodies]
    count: int
    folder: Path
    data: Path | None = None
    window: tuple[int, int] = (0, 0)

    def run(self) -> tuple[int, list[dict[str, Any]]]:
        """Ask both builds in every state; returns how many questions were asked, and a row for each that differs."""
        asked, rows = 0, []
        for state, base, new, window in self._states():

            def get(path: str, base: ServerProcess = base) -> Any:
                return base.request("GET", path).json()

            for question in questions(get, *window, issues=state == _COPIED):
                asked += 1
                if places := differing(base, new, question):
                    rows.append({"data": state, "question": question.name, "places": "; ".join(places)})
        return asked, rows

    def _states(self) -> Iterator[tuple[str, ServerProcess, ServerProcess, tuple[int, int]]]:
        """Yield what is asked about, with both servers running: what the base wrote, and what each took in itself."""
        written, window = (self.data, self.window) if self.data else self._written()
        with self._both("copy", _QUIET, written) as (base, new):
            yield _COPIED, base, new, window
        window = _window()
        with self._both("own", _IN_MEMORY) as (base, new):
            for server in (base, new):
                self._feed(server, window)
            yield "in memory", base, new, window
        with self._both("own", _AT_ONCE) as (base, new):
            for server in (base, new):
                _wait_until_written(server)
            yield "in segments", base, new, window

    def _written(self) -> tuple[Path, tuple[int, int]]:
        """Let the base write a data directory."""
        window, data = _window(), self.folder / "written"
        with ServerProcess(data, _AT_ONCE, program=self.base.program) as server:
            self._feed(server, window)
            _wait_until_written(server)
        return data, window

    @contextmanager
    def _both(
        self, name: str, settings: Mapping[str, str], copied: Path | None = None
    ) -> Iterator[tuple[ServerProcess, ServerProcess]]:
        """Start both builds, each on a data directory of its own."""
        folders = [self.folder / f"{name}-{build.name}" for build in (self.base, self.new)]
        for folder in folders if copied else []:
            shutil.copytree(copied, folder)
        first, second = (
            ServerProcess(folder, settings, program=build.program)
            for folder, build in zip(folders, (self.base, self.new), strict=True)
        )
        with first, second:
            yield first, second

    def _feed(self, server: ServerProcess, window: tuple[int, int]) -> None:
        """Send the same bodies of all three signals, one after the other: in the same order to each."""
        for kind in ("traces", "logs", "metrics"):
            stream = Stream(self.bodies(kind), self.count, 1, window[0], window[1] - 2 * NS)
            items = list(small_requests(stream) if kind == "traces" else map(stream.item, range(len(stream))))
            _send(server, kind, items)
            for service in sorted(self.bodies("traces").facts["spans_per_service"]):
                # They get their colours in the order in which answers first name them: one by one, it is the same.
                server.get("/spans", last="2h", filter=f'service.name = "{service}"', limit=1)
        _wait_until(lambda: _is_grouped(server), "exceptions are not in issues")


def _send(server: ServerProcess, kind: str, items: list[tuple[bytes, int]]) -> None:
    tally = Sender(factory("http", server.port, server.grpc_port, kind), Items(items), connections=1).run()
    wanted = sum(records for _, records in items)
    if tally.accepted != wanted:
        raise SystemExit(f"{kind}: {tally.accepted:,} of {wanted:,} records taken, {tally.errors}")


def _window() -> tuple[int, int]:
    """Return the hour before now."""
    now_ns = time.time_ns()
    return now_ns - 3600 * NS, now_ns


def _wait_until_written(server: ServerProcess) -> None:
    _wait_until(lambda: not any(_storage(server)["buffer_rows"].values()), "records are still in memory")


def _is_grouped(server: ServerProcess) -> bool:
    """Whether the list of issues has stood still for a second: exceptions are grouped behind the acknowledgement."""
    before = server.get("/issues", last="2h", limit=1000)["issues"]
    time.sleep(1)
    return bool(before) and before == server.get("/issues", last="2h", limit=1000)["issues"]


def _storage(server: ServerProcess) -> dict[str, Any]:
    return server.get("/status")["storage"]


def _wait_until(holds: Callable[[], bool], otherwise: str) -> None:
    begun = time.monotonic()
    while not holds():
        if time.monotonic() - begun > _WAIT_S:
            raise SystemExit(f"after {_WAIT_S:g} s {otherwise}")
        time.sleep(0.2)


def differing(base: ServerProcess, new: ServerProcess, question: Asked) -> list[str]:
    """Ask both and return where the answers differ, over as many pages as the question follows."""
    paths = [question.path, question.path]
    for page in range(question.pages):
        first, second = (_asked(server, path, question.body) for server, path in zip((base, new), paths, strict=True))
        if first.status != second.status:
            return [f"status {first.status} is now {second.status}"]
        if places := differences(first.body, second.body):
            return [f"page {page + 1}: {place}" if page else place for place in places]
        if page + 1 == question.pages:
            break
        cursors = [answer.json().get("next_cursor") for answer in (first, second)]
        if not cursors[0]:
            break
        paths = [f"{question.path}&cursor={urllib.parse.quote(cursor)}" for cursor in cursors]
    return []


def _asked(server: ServerProcess, path: str, body: bytes | None) -> Answer:
    headers = {"Content-Type": "application/json"} if body else {}
    return server.request("POST" if body else "GET", path, body, headers)


def differences(base: bytes, new: bytes) -> list[str]:
    """Return where two JSON answers differ but for clocks, cursors and rounding; at most three places."""
    if base == new:
        return []
    try:
        first, second = json.loads(base), json.loads(new)
    except ValueError:
        return [f"{base[:80]!r} is now {new[:80]!r}"]
    found: list[str] = []
    _differ(first, second, "", found)
    if not found and list(_keys(first)) != list(_keys(second)):
        found = ["the order of fields"]
    return found[:_SHOWN]


def _differ(base: Any, new: Any, place: str, found: list[str]) -> None:
    if len(found) >= _SHOWN:
        return
    if isinstance(base, dict) and isinstance(new, dict):
        for key in base.keys() | new.keys():
            first, second = base.get(key, "(not there)"), new.get(key, "(not there)")
            if key in TIMED or (key in CURSORS and bool(first) == bool(second)):
                continue
            _differ(first, second, f"{place}.{key}", found)
    elif isinstance(base, list) and isinstance(new, list) and len(base) == len(new):
        for position, (first, second) in enumerate(zip(base, new, strict=True)):
            _differ(first, second, f"{place}[{position}]", found)
    elif not _alike(base, new) and not CLOCKED.fullmatch(place):
        found.append(f"{place or 'all'}: {_short(base)} is now {_short(new)}{_apart(base, new)}")


def _alike(base: Any, new: Any) -> bool:
    if type(base) is not type(new):
        return False
    return math.isclose(base, new, rel_tol=_ROUNDING) if isinstance(base, float) else base == new


def _keys(value: Any) -> Iterator[str]:
    """Yield the names of all fields in the order in which they stand."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield key
            yield from _keys(below)
    elif isinstance(value, list):
        for below in value:
            yield from _keys(below)


def _short(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)} of them"
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _apart(base: Any, new: Any) -> str:
    """Say how far two numbers are apart, to tell another order of adding up from another answer."""
    if not isinstance(base, int | float) or not isinstance(new, int | float) or not base:
        return ""
    return f" ({abs(new - base) / math.fabs(base):.1g})"
