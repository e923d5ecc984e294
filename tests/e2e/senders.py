"""Captures of real senders in tests/data/senders, moved to the present and sent as they were: each line one request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loadgen.server import ServerProcess

SENDERS = Path(__file__).parents[1] / "data" / "senders"
SIGNALS = ("traces", "logs", "metrics")
SECOND_NS = 1_000_000_000
_TIME = re.compile(r'(\w+UnixNano": ?"?)(\d+)')
#: From 2020 to 2100. Senders also write 0 and times past 2262, which mean something else and stay as they are.
_REAL_NS = range(1_577_836_800 * SECOND_NS, 4_102_444_800 * SECOND_NS)


@dataclass(frozen=True)
class Capture:
    """What one sender sent; times move by whole seconds (so rounding stays visible) until the newest is just past."""

    name: str
    now_ns: int

    @cached_property
    def requests(self) -> list[tuple[str, str]]:
        """All requests as (signal, OTLP/JSON), each signal in the order in which it was sent."""
        return [(signal, self._moved(line)) for signal, line in self._recorded]

    @property
    def window(self) -> dict[str, int]:
        """The range of its records, as parameters of the API: a second more on both sides."""
        first, last = (self.moved(time) for time in (self._times[0], self._times[-1]))
        return {"start": first - SECOND_NS, "end": last + SECOND_NS}

    def moved(self, time_ns: int) -> int:
        """Return where a recorded time stands now."""
        return time_ns + (self.now_ns - self._times[-1]) // SECOND_NS * SECOND_NS

    def send(self, server: ServerProcess) -> None:
        """Post every request; anything but a full success fails."""
        for signal, body in self.requests:
            answer = server.request("POST", f"/v1/{signal}", body.encode(), {"Content-Type": "application/json"})
            assert (answer.status, answer.json()) == (200, {}), (self.name, signal)

    @cached_property
    def _recorded(self) -> list[tuple[str, str]]:
        files = [(signal, SENDERS / self.name / f"{signal}.json") for signal in SIGNALS]
        return [(signal, line) for signal, file in files if file.exists() for line in file.read_text().splitlines()]

    @cached_property
    def _times(self) -> list[int]:
        found = (place for _, line in self._recorded for place in _TIME.findall(line))
        # A counter of the host started when the machine did: before everything that is looked at.
        return sorted(int(time) for field, time in found if field[:5] != "start" and int(time) in _REAL_NS)

    def _moved(self, line: str) -> str:
        def move(place: re.Match[str]) -> str:
            time = int(place[2])
            return f"{place[1]}{self.moved(time) if time in _REAL_NS else time}"

        return _TIME.sub(move, line)
