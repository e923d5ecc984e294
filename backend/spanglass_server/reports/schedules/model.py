"""A schedule as it is asked for, and as it is kept; what can be wrong with one."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from spanglass_core.units import UnitError, parse_duration_ns
from spanglass_server.health.cron import CronError, parse_cron
from spanglass_server.reports.errors import RefusedError
from spanglass_server.reports.kinds import KINDS
from spanglass_server.reports.rendering.formats import FORMATS
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

MOST_CHANNELS: Final = 20
_DAY_NS: Final = 86_400 * NS_PER_SECOND
_MOST_DAYS: Final = 366


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

    def newest_ns(self, until_ns: int) -> int:
        """The newest time up to a time, 0 for none; raises as ``next_ns`` does."""
        return parse_cron(self.cron).last_ns(until_ns, _zone(self.zone))

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


def check(schedule: Schedule, channels: Collection[str], now_ns: int, before: Schedule | None = None) -> None:
    """Raise ``RefusedError`` for a schedule that can't be; ``channels`` are those that there are.

    Of one that was kept ``before``, channels that are gone may stay; one that is off may stay wrong where it was.
    """
    names = (field.name for field in fields(schedule))
    changed = {name for name in names if before is None or getattr(before, name) != getattr(schedule, name)}
    for of, is_right in _CHECKS:
        if schedule.enabled or changed & of:
            is_right(schedule, now_ns)
    unknown = sorted(set(schedule.channels) - set(channels) - set(before.channels if before else ()))
    if unknown:
        hint = f"the channels are {', '.join(sorted(channels)) or 'none yet'}"
        raise RefusedError(f"there is no channel {unknown[0]!r}", "channels", hint)


def _check_kind(schedule: Schedule, _: int) -> None:
    if schedule.kind not in KINDS:
        raise RefusedError(f"there is no kind of reports {schedule.kind!r}", "kind", f"take one of {', '.join(KINDS)}")


def _check_format(schedule: Schedule, _: int) -> None:
    if schedule.format not in FORMATS:
        raise RefusedError(f"there is no form {schedule.format!r}", "format", f"take one of {', '.join(FORMATS)}")


def _check_last(schedule: Schedule, _: int) -> None:
    hint = "write 1d, 7d or 30d"
    try:
        length_ns = schedule.last_ns
    except UnitError as error:
        raise RefusedError(str(error), "last", hint) from error
    if length_ns <= 0:
        raise RefusedError("the range is empty", "last", hint)
    if length_ns > _MOST_DAYS * _DAY_NS:
        raise RefusedError(f"the range is longer than {_MOST_DAYS} days", "last", hint)


def _check_times(schedule: Schedule, now_ns: int) -> None:
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


#: Which fields are at fault, and what finds it.
_CHECKS: Final[Sequence[tuple[frozenset[str], Callable[[Schedule, int], None]]]] = (
    (frozenset({"kind"}), _check_kind),
    (frozenset({"format"}), _check_format),
    (frozenset({"last"}), _check_last),
    (frozenset({"cron", "zone"}), _check_times),
)


def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
