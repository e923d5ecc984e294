"""How much of a time something was up, from the changes of its status."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from spanglass_server.health.model import Outage, Status, Uptime

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spanglass_server.health.model import Change

#: A range that ended so shortly before ends now: its end was taken when the question came in.
_JUST_NOW_NS: Final = 10 * 10**9


@dataclass(slots=True)
class _Sum:
    """Durations by status, and outages, of what was walked over so far."""

    spent_ns: dict[Status, int] = field(default_factory=lambda: dict.fromkeys(Status, 0))
    outages: list[Outage] = field(default_factory=list)

    def add(self, status: Status, start_ns: int, end_ns: int, detail: str) -> None:
        if end_ns <= start_ns:
            return
        self.spent_ns[status] += end_ns - start_ns
        if status is not Status.UNHEALTHY:
            return
        if self.outages and self.outages[-1].end_ns == start_ns:
            before = self.outages.pop()
            start_ns, detail = before.start_ns, before.detail or detail
        self.outages.append(Outage(start_ns, end_ns, detail))


def uptime(changes: Iterable[Change], at_start: Status, start_ns: int, end_ns: int, now_ns: int) -> Uptime:
    """Walk over the changes of one subject within a range, oldest first.

    ``at_start`` is the status at the start; what comes after ``now_ns`` is not known. An outage that lasts until now
    has no end.
    """
    walked, status, since_ns, detail = _Sum(), at_start, start_ns, ""
    until_ns = max(start_ns, min(end_ns, now_ns))
    for change in changes:
        time_ns = min(max(change.time_ns, start_ns), until_ns)
        walked.add(status, since_ns, time_ns, detail)
        status, since_ns, detail = change.status, time_ns, change.detail
    walked.add(status, since_ns, until_ns, detail)
    spent = walked.spent_ns
    known_ns = sum(spent.values()) - spent[Status.UNKNOWN]
    outages = tuple(walked.outages)
    if outages and status is Status.UNHEALTHY and now_ns - until_ns <= _JUST_NOW_NS:
        last = outages[-1]
        outages = (*outages[:-1], Outage(last.start_ns, 0, last.detail))
    return Uptime(
        start_ns=start_ns,
        end_ns=end_ns,
        share=1 - spent[Status.UNHEALTHY] / known_ns if known_ns else None,
        known_ns=known_ns,
        down_ns=spent[Status.UNHEALTHY],
        degraded_ns=spent[Status.DEGRADED],
        outages=outages,
    )


def by_step(
    changes: Sequence[Change], at_start: Status, start_ns: int, step_ns: int, steps: int, now_ns: int
) -> list[Uptime]:
    """The uptime of each step of a range, such as its days; changes are those of the whole range, oldest first."""
    found, status, place = [], at_start, 0
    for number in range(steps):
        begin_ns = start_ns + number * step_ns
        end_ns = begin_ns + step_ns
        first = place
        while place < len(changes) and changes[place].time_ns < end_ns:
            place += 1
        own = changes[first:place]
        found.append(uptime(own, status, begin_ns, end_ns, now_ns))
        status = own[-1].status if own else status
    return found
