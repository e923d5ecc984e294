"""What is written of people, rotas and escalations, and whom of them a message goes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from spanglass_core.alerting.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

EVERY_DAY = tuple(range(7))
DAY_MINUTES = 24 * 60
#: What may stand in the place of a channel's name.
TargetKind = Literal["", "channel", "person", "rota"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """A time of the week in which a person is not told, unless an alert is at least of ``severity``.

    ``from_`` and ``to`` are minutes of the day by the person's clock; an end not after the begin is one of the next
    day. ``weekdays`` (0 is Monday) are the days on which the hours begin.
    """

    from_: int
    to: int
    weekdays: tuple[int, ...] = EVERY_DAY
    severity: Severity = Severity.CRITICAL


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a channel reaches a person; without addresses, where it reaches everybody."""

    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who can be told, by the names of the channels, the one to try first at the beginning."""

    channels: Mapping[str, Reach]
    full_name: str = ""
    time_zone: str = "UTC"
    quiet_hours: tuple[QuietHours, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A part of the week that is not taken in turns, or by other people; several of them take turns by the week."""

    people: tuple[str, ...]
    from_: int
    to: int
    weekdays: tuple[int, ...] = EVERY_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Somebody else, from one wall-clock time to another (``2026-12-24T09:00``, by the rota's clock)."""

    person: str
    from_: str
    to: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rota:
    """Who is on call: an override, else a shift of the week, else the turns of ``people``, else nobody.

    A turn lasts ``weeks`` and begins at ``handover`` (minutes of the week, from Monday 00:00). The rota begins
    at the first handover on or after ``starts``, a date, with the first of ``people``; before it nobody is on call.
    """

    people: tuple[str, ...] = ()
    time_zone: str = "UTC"
    handover: int = 9 * 60
    weeks: int = 1
    starts: str = "2024-01-01"
    weekly: tuple[Shift, ...] = ()
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """A name in a step: of a channel, a person or a rota; without ``kind``, of whichever there is."""

    name: str
    kind: TargetKind = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.kind else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Who is told when nobody has acknowledged so long after the beginning; ``by`` are the channels used of people."""

    tell: tuple[Target, ...]
    after_ns: int = 0
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """The steps, in the order of time; all of them once more ``repeat_every_ns`` after the last, ``repeat`` times."""

    steps: tuple[Step, ...]
    repeat: int = 0
    repeat_every_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One channel with the addresses of one person, or the channel itself; ``why`` is in words.

    ``until_ns`` is when the person's quiet hours end, 0 when they may be told at once.
    """

    channel: str
    addresses: tuple[str, ...] = ()
    person: str = ""
    why: str = ""
    until_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Who is on call from a time to another, in nanoseconds; ``person`` is "" for nobody, ``end_ns`` 0 for no end."""

    person: str
    start_ns: int
    end_ns: int
    why: Literal["override", "shift", "turn", "nobody"]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A group of open alerts of which an escalation tells, from now on if it did not yet.

    While ``muted`` (silenced, inhibited) it stands still.

    ``alert_ids`` are those that are neither acknowledged nor muted; without any, it is acknowledged.
    """

    key: str
    escalation: str
    severity: Severity
    alert_ids: tuple[str, ...] = ()
    muted: bool = False
    group_labels: Mapping[str, str] = field(default_factory=dict)
