"""What a rule would have brought on each day of a range."""

from __future__ import annotations

from datetime import date as Date  # noqa: N812 - fields are called date
from datetime import datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING

from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_server.alerting.backtest.answers import Day
    from spanglass_server.alerting.backtest.fires import Fire

#: A range of more days has none of the oldest in the list.
_MOST_DAYS = 400


def days(fires: Iterable[Fire], start_ns: int, end_ns: int, zone: tzinfo) -> list[Day]:
    """All days that a range touches, in a time zone, with the fires that began and the time that was fired on each."""
    first, last = _date(start_ns, zone), _date(max(start_ns, end_ns - 1), zone)
    first = max(first, last - timedelta(days=_MOST_DAYS - 1))
    found: dict[str, Day] = {}
    for number in range((last - first).days + 1):
        date = (first + timedelta(days=number)).isoformat()
        found[date] = {"date": date, "pages": 0, "firing_ns": 0, "by_severity": {}}
    for fire in fires:
        if not fire.fired_ns:
            continue
        day = found.get(_date(fire.fired_ns, zone).isoformat())
        if day is not None:
            day["pages"] += 1
            counts = day["by_severity"]
            counts[fire.severity.value] = counts.get(fire.severity.value, 0) + 1
        _spread(found, fire.fired_ns, fire.until(end_ns), zone)
    return list(found.values())


def _spread(found: dict[str, Day], start_ns: int, end_ns: int, zone: tzinfo) -> None:
    """Add a stretch of firing to the days that it lies on."""
    while start_ns < end_ns:
        date = _date(start_ns, zone)
        midnight = datetime.combine(date + timedelta(days=1), time(), zone)
        until_ns = min(end_ns, int(midnight.timestamp()) * NS_PER_SECOND)
        if date.isoformat() in found:
            found[date.isoformat()]["firing_ns"] += until_ns - start_ns
        start_ns = until_ns


def _date(time_ns: int, zone: tzinfo) -> Date:
    return datetime.fromtimestamp(time_ns // NS_PER_SECOND, zone).date()
