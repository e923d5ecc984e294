"""The state of one key of one rule, and what may happen to it; ``machine.py`` advances it.

The names are Prometheus': a condition that holds makes its key *pending*, after ``for`` it is *firing*; when it holds
no more, an alert *keeps firing* for a while, and is *resolved*.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spanglass_core.alerting.rule import NoData
    from spanglass_core.alerting.severity import Severity


class Phase(StrEnum):
    """Where a key stands. An alert is active in the phases ``firing`` and ``keep_firing``."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    KEEP_FIRING = "keep_firing"


class Health(StrEnum):
    """Whether the last evaluation could tell, beside the phase: a firing alert without data still fires."""

    OK = "ok"
    NO_DATA = "no_data"
    ERROR = "error"


class Kind(StrEnum):
    """What a transition is."""

    PENDING = "pending"  # the condition holds; `for` begins
    CANCELLED = "cancelled"  # pending, and it holds no more
    FIRED = "fired"
    RAISED = "raised"  # firing, at a higher level than before
    LOWERED = "lowered"  # firing, at a lower level
    RESOLVED = "resolved"
    NO_DATA = "no_data"
    DATA_AGAIN = "data_again"
    FAILED = "failed"  # the evaluation failed
    WORKS_AGAIN = "works_again"


@dataclass(frozen=True, slots=True)
class Sample:
    """What one evaluation says of one key.

    ``value`` is None where there is no data. ``level`` is the highest level whose threshold is crossed, None for none.
    ``recovered``: the value is on the good side of the recovery threshold (only then may a firing alert resolve).
    ``holding`` is the highest level that the value has not recovered from, ``level`` or a higher one; None: not known.
    A firing alert is not lowered below it, so that a value close to a threshold does not change its level all the time.
    ``error`` is why the evaluation failed; the other fields mean nothing then.
    """

    time_ns: int
    value: float | None = None
    level: Severity | None = None
    recovered: bool = True
    error: str = ""
    holding: Severity | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What the state machine needs of a rule. ``no_data_ns``: how long no data is put up with (``keep``).

    ``gone_ns``: how long no data is an alert (``alert``); then the key, such as a host, is taken to be gone for good.

    After a gap between evaluations longer than ``max_gap_ns`` what was pending begins anew; 0: however long it was.
    """

    for_ns: int = 0
    keep_firing_for_ns: int = 0
    no_data: NoData = "keep"
    no_data_ns: int = 900 * 10**9
    gone_ns: int = 86_400 * 10**9
    no_data_severity: Severity | None = None  # for ``alert``; None: the one that it has, or a warning
    max_gap_ns: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """All that is remembered of a key; times are 0 where there is none. ``INITIAL`` is where every key begins."""

    phase: Phase = Phase.INACTIVE
    health: Health = Health.OK
    severity: Severity | None = None
    pending_ns: int = 0  # since when the condition holds
    fired_ns: int = 0
    held_ns: int = 0  # when it last held
    no_data_ns: int = 0  # since when there is no data
    evaluated_ns: int = 0
    value: float | None = None
    error: str = ""
    keeping_ns: int = 0  # since when it keeps firing


INITIAL = State()


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of a key's state."""

    kind: Kind
    time_ns: int
    severity: Severity | None
    value: float | None
    reason: str = ""
