"""Operations that became slower: with a release, or against the same hour of the days before."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from spanglass_server.findings.judging.durations import Durations, Slower, slower, together
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

HOUR_NS: Final = 3600 * NS_PER_SECOND
DAY_HOURS: Final = 24
#: The usual of an hour of the day is told by so many days with enough requests.
_LEAST_DAYS, _LEAST_REQUESTS = 3, 50
#: Each of the two hours that are looked at is slower, too, by so many times; with fewer requests an hour says nothing.
_TIMES_EACH, _LEAST_EACH = 1.3, 10
#: A release before counts for so many hours.
_RELEASE_HOURS: Final = 48


@dataclass(frozen=True, slots=True)
class HourOf:
    """The requests of an operation that began in an hour (hours since 1970) and were served by a release."""

    hour: int
    release: str
    durations: Durations


class Regression(NamedTuple):
    """An operation that became slower: against what, in words, and by how much."""

    against: str
    change: Slower


def regression(hours: Sequence[HourOf], now_hour: int) -> Regression | None:
    """Return how much slower an operation is in this hour and the one before; None if it is not.

    With a release that was not served before, it is compared with the one before; else with the same hours of earlier
    days, and then it must be slower than each of them, in both hours: while a machine is busy, all is slow for a while.
    """
    return _of_release(hours, now_hour) or _of_days(hours, now_hour)


def _of_release(hours: Sequence[HourOf], now_hour: int) -> Regression | None:
    recent = [one for one in hours if one.hour > now_hour - _RELEASE_HOURS and one.release]
    began = {
        release: min(one.hour for one in recent if one.release == release) for release in {r.release for r in recent}
    }
    current = {one.release for one in recent if one.hour >= now_hour - 1}
    newest = max(current, key=lambda release: (began[release], _last(recent, release), release), default=None)
    earlier = [release for release in began if newest and release != newest and began[release] <= began[newest]]
    if newest is None or not earlier:
        return None
    before = max(earlier, key=lambda release: (_last(recent, release), release))
    change = slower(
        together(one.durations for one in recent if one.release == newest and one.hour >= now_hour - 1),
        together(one.durations for one in recent if one.release == before),
    )
    return None if change is None else Regression(f"release {before}, since {newest}", change)


def _last(hours: Sequence[HourOf], release: str) -> int:
    return max(one.hour for one in hours if one.release == release)


def _of_days(hours: Sequence[HourOf], now_hour: int) -> Regression | None:
    days: dict[int, list[Durations]] = defaultdict(list)
    for one in hours:
        ago = now_hour - one.hour
        if ago % DAY_HOURS in {0, 1}:
            days[ago // DAY_HOURS].append(one.durations)
    now = together(days.pop(0, []))
    usual = [day for day in map(together, days.values()) if day.count >= _LEAST_REQUESTS]
    if not now.count or len(usual) < _LEAST_DAYS:
        return None
    change = slower(now, together(usual))
    if change is None or any(change.now_ns <= day.quantile_ns(change.quantile) for day in usual):
        return None
    of_hours = [together(one.durations for one in hours if one.hour == hour) for hour in (now_hour, now_hour - 1)]
    if not all(_is_slow(hour, change) for hour in of_hours):
        return None
    return Regression(f"the same hours of {len(usual)} days before", change)


def _is_slow(hour: Durations, change: Slower) -> bool:
    """Whether an hour has its part in a change, or too few requests to say so."""
    return hour.count < _LEAST_EACH or hour.quantile_ns(change.quantile) >= _TIMES_EACH * change.before_ns
