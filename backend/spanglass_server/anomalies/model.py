"""What the parts of anomalies give each other."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Names and values, sorted by name: what tells the series of a kind apart.
Labels = tuple[tuple[str, str], ...]

#: What stands in labels for the name of a metric and the first line of a log pattern.
METRIC, PATTERN = "__name__", "pattern"
SERVICE, OPERATION = "service_name", "span_name"
STEP_MS: Final = 300_000


class Kind(StrEnum):
    """What an anomaly is one of."""

    REQUESTS = "requests"
    FAILURES = "failures"
    DURATION = "duration"
    METRIC = "metric"
    LOGS = "logs"


_FELT: Final = frozenset({Kind.FAILURES, Kind.DURATION})


class State(StrEnum):
    """``open``: now. ``ended``: it was. ``fine``: somebody said that this is nothing to be told of."""

    OPEN = "open"
    ENDED = "ended"
    FINE = "fine"


@dataclass(frozen=True, slots=True)
class Key:
    """One series that is watched."""

    kind: Kind
    labels: Labels

    @property
    def service(self) -> str:
        """The service that it is of; "" where none is named."""
        return dict(self.labels).get(SERVICE, "")


@dataclass(frozen=True, slots=True)
class Course:
    """Values by five minutes and between what they usually lie; None where nothing is known. ``start_ms`` is a step."""

    start_ms: int
    values: Sequence[float | None]
    expected: Sequence[float | None]
    low: Sequence[float | None]
    high: Sequence[float | None]

    def written(self) -> str:
        """The course as a text, which ``read`` reads."""
        return json.dumps([self.start_ms, self.values, self.expected, self.low, self.high])

    @classmethod
    def read(cls, text: str) -> Course:
        """Read what was written."""
        return cls(*json.loads(text))


@dataclass(frozen=True, slots=True)
class Seen:
    """What an anomaly is at one time: its value, what was expected, and how far it lies beyond.

    ``surprise`` is in deviations beyond the usual, ``impact`` the share of all requests that are affected, 0 to 1, and
    ``affected`` their number in this step, of ``requests`` (0 where that is not known, as of metrics).
    """

    time_ns: int
    value: float
    expected: float
    low: float
    high: float
    surprise: float
    impact: float
    affected: float
    requests: float = 0.0


@dataclass(frozen=True, slots=True)
class Begun:
    """An anomaly that begins: ``title`` names its series, ``side`` is -1 below what is usual and 1 above.

    ``writers`` are the services that wrote the lines of a log pattern, those with most lines first.
    """

    key: Key
    title: str
    unit: str
    side: int
    start_ns: int
    seen: Seen
    is_new: bool = False
    writers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fine:
    """Somebody says that anomalies of a series are nothing to be told of, until a time or for good (None)."""

    id: int
    key: Key
    title: str
    reason: str
    actor: str
    made_ns: int
    until_ns: int | None
    undone_ns: int | None = None
    undone_by: str = ""

    def holds(self, now_ns: int) -> bool:
        """Whether it counts at a time."""
        return self.undone_ns is None and (self.until_ns is None or now_ns < self.until_ns)


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of an anomaly. ``peak`` is its most surprising step; ``end_ns`` is None while it goes on.

    Its course stays a text until it is shown: reading 2,000 of them takes 0.4 s.
    """

    id: int
    key: Key
    title: str
    unit: str
    side: int
    is_new: bool
    start_ns: int
    end_ns: int | None
    seen_ns: int
    peak: Seen
    affected: float
    written_course: str
    is_fine: bool = False
    writers: tuple[str, ...] = ()

    @property
    def services(self) -> tuple[str, ...]:
        """The service that it is of, or those that wrote its lines, three at most; () where none is known."""
        return (self.key.service,) if self.key.service else self.writers

    @property
    def name(self) -> str:
        """Its title, with the services that wrote the lines of a pattern."""
        return f"{self.title} ({', '.join(self.writers)})" if self.writers else self.title

    @property
    def course(self) -> Course:
        """How it went."""
        return Course.read(self.written_course)

    @property
    def state(self) -> State:
        """What it is now."""
        if self.is_fine:
            return State.FINE
        return State.OPEN if self.end_ns is None else State.ENDED

    @property
    def importance(self) -> float:
        """Anomalies are listed by this: surprise counts less the larger it is, and all of it where all is affected.

        What users feel, requests that fail or are slow, counts twice.
        """
        weight = 2.0 if self.key.kind in _FELT else 1.0
        return weight * math.sqrt(min(self.peak.surprise, 50.0)) * (0.15 + self.peak.impact)


class UnknownAnomalyError(Exception):
    """There is no anomaly, or no feedback, with that id."""


class AnomalyStoreError(Exception):
    """The file of anomalies can't be used; the message says what to do next."""
