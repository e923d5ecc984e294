"""A schedule as it is asked for, and as it is kept; what can be wrong with one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from spanglass_core.units import UnitError, parse_duration_ns
from spanglass_server.health.cron import CronError, parse_cron
from spanglass_server.reports.errors import RefusedError
from spanglass_server.reports.kinds import KINDS
from spanglass_server.reports.rendering.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Collection

MOST_CHANNELS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What is to be made when, and who is told.

    ``last`` is how long the range before each time is, ``cron`` the times on the clock of ``zone``; ``format`` is that
    of the file that mails have with them.
    """

    kind: str
    cron: str
    service: str = ""
    last: str = "7d"
    zone: str = "UTC"
    channels: tuple[str, ...] = ()
    format: str = "pdf"
    enabled: bool = True
    actor: str = ""

    def next_ns(self, after_ns: int) -> int:
        """The first time after a time, 0 for none; ``CronError``, and ``ValueError`` for a zone that is none."""
        return parse_cron(self.cron).next_ns(after_ns, _zone(self.zone)) if self.enabled else 0

    @property
    def last_ns(self) -> int:
        """How long the range is."""
        return parse_duration_ns(self.last)


@dataclass(frozen=True, slots=True)
class Kept:
    """A schedule with its id and when it is due, in nanoseconds since 1970; 0 for never."""

    id: str
    schedule: Schedule
    created_ns: int
    next_ns: int


def check(schedule: Schedule, channels: Collection[str], now_ns: int) -> None:
    """Raise ``RefusedError`` for a schedule that can't be; ``channels`` are those that there are."""
    if schedule.kind not in KINDS:
        raise RefusedError(f"there is no kind of reports {schedule.kind!r}", "kind", f"take one of {', '.join(KINDS)}")
    if schedule.format not in FORMATS:
        raise RefusedError(f"there is no form {schedule.format!r}", "format", f"take one of {', '.join(FORMATS)}")
    try:
        length_ns = schedule.last_ns
    except UnitError as error:
        raise RefusedError(str(error), "last", "write 1d, 7d or 30d") from error
    if length_ns <= 0:
        raise RefusedError("the range is empty", "last", "write 1d, 7d or 30d")
    try:
        _zone(schedule.zone)
    except (ValueError, OSError, KeyError) as error:
        raise RefusedError(f"{schedule.zone!r} is no time zone", "zone", "write UTC or Europe/Berlin") from error
    try:
        due_ns = parse_cron(schedule.cron).next_ns(now_ns, _zone(schedule.zone))
    except CronError as error:
        raise RefusedError(str(error), "cron", "write 0 8 * * mon, or @weekly") from error
    if not due_ns:
        raise RefusedError(f"{schedule.cron!r} never comes", "cron", "take a day that there is")
    unknown = sorted(set(schedule.channels) - set(channels))
    if unknown:
        hint = f"the channels are {', '.join(sorted(channels)) or 'none yet'}"
        raise RefusedError(f"there is no channel {unknown[0]!r}", "channels", hint)


def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
