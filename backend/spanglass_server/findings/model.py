"""What the parts of findings give each other: patterns, what was found of them, and what is known of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Kind(StrEnum):
    """A pattern that costs time, or memory."""

    N_PLUS_ONE = "n_plus_one"
    REPEATED_QUERY = "repeated_query"
    CONSECUTIVE_CALLS = "consecutive_calls"
    SLOW_QUERY = "slow_query"
    SLOW_CALL = "slow_call"
    LARGE_PAYLOAD = "large_payload"
    CHATTY_CALLS = "chatty_calls"
    LOCK_WAIT = "lock_wait"
    RETRIES = "retries"
    QUEUE_WAIT = "queue_wait"
    GAP = "gap"
    REGRESSION = "regression"
    GROWS_WITH_SIZE = "grows_with_size"
    MEMORY_LEAK = "memory_leak"


class State(StrEnum):
    """Whether somebody has said that a finding is none of their concern."""

    OPEN = "open"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A request that shows a finding. Times in nanoseconds; ``span_id`` is the first span of the pattern."""

    trace_id: bytes
    span_id: bytes
    start_ns: int
    ns: int
    calls: int
    waste_ns: int


@dataclass(frozen=True, slots=True)
class Place:
    """What tells findings apart: a pattern in an operation of a service, in the same statement, address or name."""

    kind: Kind
    service: str
    operation: str
    subject: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen of a finding in a stretch of time.

    ``requests`` are all of the operation, ``hits`` those with the pattern, which lost ``waste_ns`` to it in ``calls``.
    ``weight`` is how many requests each stands for, where not all spans were looked at. Of the hits, which lie in so
    many ``minutes``, those that are ``doubtful`` may be of a machine that was busy, or of clocks that differ: their
    minutes do not count.
    """

    place: Place
    requests: int
    hits: int
    calls: int
    waste_ns: int
    first_ns: int
    last_ns: int
    detail: str = ""
    evidence: Sequence[Evidence] = ()
    weight: float = 1.0
    doubtful: int = 0
    minutes: int = 1


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of a finding, with sums of its last day; ``hours`` are starts of hours with their hits.

    Of the hits, which lie in so many ``minutes``, those that are ``doubtful`` may be of a machine that was busy; then
    ``alike`` are the requests or calls that are like them, slow or not, since the hour of the first hit that day.
    """

    id: int
    place: Place
    detail: str
    state: State
    reason: str
    actor: str
    changed_ns: int
    first_ns: int
    last_ns: int
    requests: float
    hits: float
    calls: float
    waste_ns: float
    evidence: Sequence[Evidence] = ()
    doubtful: float = 0.0
    minutes: float = 0.0
    alike: float = 0.0
    hours: Sequence[tuple[int, float]] = field(default=())


@dataclass(frozen=True, slots=True)
class Dismissal:
    """Who dismissed a finding or opened it again, and why."""

    state: State
    reason: str
    actor: str


class UnknownFindingError(Exception):
    """There is no finding with that id."""


class FindingStoreError(Exception):
    """The file of findings can't be used; the message says what to do next."""
