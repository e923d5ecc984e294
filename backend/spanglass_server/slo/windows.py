"""The windows of objectives: where one begins at a time, in hours since 1970."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from spanglass_server.slo.model import Objective

_HOUR_S: Final = 3600
DAY_HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class Span:
    """A window: from the hour ``first`` to before ``last``. A rolling one ends now, a calendar one when it is over."""

    first: int
    last: int


def window_at(objective: Objective, hour: int) -> Span:
    """The window in which an hour, which is not over yet, lies: a calendar one by the hour's first minute."""
    if objective.window.endswith("d"):
        days = int(objective.window[:-1])
        return Span(hour + 1 - days * DAY_HOURS, hour + 1)
    zone = ZoneInfo(objective.time_zone)
    local = datetime.fromtimestamp(hour * _HOUR_S, zone)
    begin = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if objective.window == "week":
        begin -= timedelta(days=begin.weekday())
        end = begin + timedelta(days=7)
    else:
        begin = begin.replace(day=1)
        end = begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
    return Span(_hour_of(begin), _hour_of(end))


def is_rolling(objective: Objective) -> bool:
    """Whether the window moves with the time."""
    return objective.window.endswith("d")


def longest_hours(objective: Objective) -> int:
    """How many hours its longest window has."""
    days = {"week": 7, "month": 31}.get(objective.window) or int(objective.window[:-1])
    return days * DAY_HOURS


def _hour_of(time: datetime) -> int:
    """The hour that begins with a time or after it; some zones have days that begin within one."""
    return -(-int(time.timestamp()) // _HOUR_S)
