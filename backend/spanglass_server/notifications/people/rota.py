"""Who is on call."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from spanglass_server.notifications.people.clock import at_minute, local_day, span_of, wall_time, zone_of
from spanglass_server.notifications.people.model import DAY_MINUTES, Duty

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from spanglass_server.notifications.people.model import Rota, Shift

_WEEK = 7
_WEEK_NS = _WEEK * DAY_MINUTES * 60 * 10**9


def on_call(rota: Rota, at_ns: int) -> Duty:
    """Who is on call at a time. Its start and end are 0 where the duty goes on for more than two turns that way."""
    reach_ns = 2 * rota.weeks * _WEEK_NS
    start_ns, end_ns = at_ns - reach_ns, at_ns + reach_ns
    duty = next(each for each in schedule(rota, start_ns, end_ns) if each.start_ns <= at_ns < each.end_ns)
    return replace(
        duty,
        start_ns=0 if duty.start_ns == start_ns else duty.start_ns,
        end_ns=0 if duty.end_ns == end_ns else duty.end_ns,
    )


def schedule(rota: Rota, start_ns: int, end_ns: int) -> list[Duty]:
    """Who is on call over a range, one after the other without gaps; that nobody is, is a duty too."""
    duties: list[Duty] = []
    zone = zone_of(rota.time_zone)
    edges = {edge for edge in _edges(rota, zone, start_ns, end_ns) if start_ns < edge < end_ns}
    for begin_ns, until_ns in pairwise(sorted({start_ns, end_ns} | edges)):
        duty = _duty(rota, zone, begin_ns, until_ns)
        last = duties[-1] if duties else None
        if last is not None and (last.person, last.why, last.reason) == (duty.person, duty.why, duty.reason):
            duties[-1] = replace(last, end_ns=until_ns)
        else:
            duties.append(duty)
    return duties


def _edges(rota: Rota, zone: tzinfo, start_ns: int, end_ns: int) -> Iterator[int]:
    """All times in a range, and some around it, at which somebody else may be on call."""
    for override in rota.overrides:
        yield wall_time(override.from_, zone)
        yield wall_time(override.to, zone)
    weekday, minute = divmod(rota.handover, DAY_MINUTES)
    day, last = local_day(start_ns, zone) - timedelta(days=1), local_day(end_ns, zone)
    while day <= last:
        if day.weekday() == weekday:
            yield at_minute(day, minute, zone)
        for shift in rota.weekly:
            if day.weekday() in shift.weekdays:
                yield from span_of(day, shift.from_, shift.to, zone)
        day += timedelta(days=1)


def _duty(rota: Rota, zone: tzinfo, at_ns: int, end_ns: int) -> Duty:
    """Who is on call at the begin of a time in which nothing changes."""
    for override in rota.overrides:
        if wall_time(override.from_, zone) <= at_ns < wall_time(override.to, zone):
            return Duty(person=override.person, start_ns=at_ns, end_ns=end_ns, why="override", reason=override.reason)
    week = _week(rota, zone, at_ns)
    for shift in rota.weekly:
        if week >= 0 and _is_in(shift, zone, at_ns):
            person = shift.people[week % len(shift.people)]
            return Duty(person=person, start_ns=at_ns, end_ns=end_ns, why="shift")
    if rota.people and week >= 0:
        person = rota.people[week // rota.weeks % len(rota.people)]
        return Duty(person=person, start_ns=at_ns, end_ns=end_ns, why="turn")
    return Duty(person="", start_ns=at_ns, end_ns=end_ns, why="nobody")


def _week(rota: Rota, zone: tzinfo, at_ns: int) -> int:
    """How many handovers there were after the first one, which is on or after the day the rota starts."""
    weekday, minute = divmod(rota.handover, DAY_MINUTES)
    starts = date.fromisoformat(rota.starts)
    first = starts.toordinal() + (weekday - starts.weekday()) % _WEEK  # a number: there is no day after 9999-12-31
    today = local_day(at_ns, zone)
    latest = today - timedelta(days=(today.weekday() - weekday) % _WEEK)
    if at_ns < at_minute(latest, minute, zone):
        latest -= timedelta(days=_WEEK)
    return (latest.toordinal() - first) // _WEEK


def _is_in(shift: Shift, zone: tzinfo, at_ns: int) -> bool:
    """Whether a time is in a shift that began on that day or on the one before."""
    today = local_day(at_ns, zone)
    for day in (today - timedelta(days=1), today):
        if day.weekday() in shift.weekdays:
            start_ns, end_ns = span_of(day, shift.from_, shift.to, zone)
            if start_ns <= at_ns < end_ns:
                return True
    return False
