"""What is known of a memory leak beside a finding: which processes grow, since when, and how fast."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final

from spanglass_server.findings.model import Kind
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.findings.model import Known

#: What stands for the statement or address of other findings.
SUBJECT: Final = "process memory"
#: Of a service so many processes are kept, those that grow fastest.
MOST_PROCESSES: Final = 10
#: No process holds more bytes: what is above it, or below 0, is no memory. Numbers of JSON have 64 bits.
MOST_BYTES: Final = 1 << 60
#: In so much time half of the doubt goes that is left for how long it grows.
_HALVED_BY_NS: Final = 900 * NS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Grown:
    """A process whose memory grows: bytes at ``since_ns`` and at the last look; "" and 0 where nothing is known.

    ``release_since_ns`` is the hour in which its release was first served, of a service with releases before it.
    """

    instance: str
    host: str
    pid: str
    release: str
    release_since_ns: int
    since_ns: int
    from_bytes: int
    to_bytes: int
    bytes_per_hour: int


@dataclass(frozen=True, slots=True)
class Leak:
    """Processes of a service that grow, the fastest first, of how many; ``seen_ns`` is when that was looked at."""

    seen_ns: int
    processes: int
    grown: Sequence[Grown]

    def text(self) -> str:
        """The form in which it is kept."""
        return json.dumps(asdict(self))

    @property
    def confidence(self) -> float:
        """How much its duration says, 0 to 1."""
        return float(1 - 0.5 ** ((self.seen_ns - min(one.since_ns for one in self.grown)) / _HALVED_BY_NS))


def leak_of(known: Known) -> Leak | None:
    """The leak that a finding is, with sizes of at most ``MOST_BYTES``; None of another one."""
    if known.place.kind is not Kind.MEMORY_LEAK:
        return None
    kept = json.loads(known.detail)
    return Leak(kept["seen_ns"], kept["processes"], tuple(_bounded(Grown(**one)) for one in kept["grown"]))


def _bounded(grown: Grown) -> Grown:
    return replace(
        grown,
        from_bytes=min(grown.from_bytes, MOST_BYTES),
        to_bytes=min(grown.to_bytes, MOST_BYTES),
        bytes_per_hour=min(grown.bytes_per_hour, MOST_BYTES),
    )
