"""Quiet hours of people."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from spanglass_server.notifications.people.clock import local_day, span_of, zone_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_core.alerting.severity import Severity
    from spanglass_server.notifications.people.model import Person, QuietHours

#: Hours that follow each other are one time; more than this is a week without any other.
_MOST_JOINED = 16


def quiet_until(person: Person, severity: Severity, at_ns: int) -> int:
    """Until when a person is not told of an alert of a severity; 0 when they are told at once.

    Hours that follow each other without a gap count as one time. A person who is quiet all week is told after the
    first week of them: nothing is held for ever.
    """
    hours = [each for each in person.quiet_hours if severity.rank < each.severity.rank]
    until_ns = at_ns
    for _ in range(_MOST_JOINED):
        end_ns = max(_ends(person, hours, until_ns), default=0)
        if not end_ns:
            break
        until_ns = end_ns
    return until_ns if until_ns > at_ns else 0


def _ends(person: Person, hours: Iterable[QuietHours], at_ns: int) -> list[int]:
    """The ends of all hours in which a time is."""
    zone = zone_of(person.time_zone)
    today = local_day(at_ns, zone)
    ends = []
    for each in hours:
        for day in (today - timedelta(days=1), today):
            if day.weekday() in each.weekdays:
                start_ns, end_ns = span_of(day, each.from_, each.to, zone)
                if start_ns <= at_ns < end_ns:
                    ends.append(end_ns)
    return ends
