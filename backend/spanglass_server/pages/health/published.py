"""What the status page tells of components that are public: status, days, outages; no addresses, no messages."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from spanglass_server.health.model import Status, component_subject, worst
from spanglass_server.pages.health import looks
from spanglass_server.pages.rendering.format import THIN, to_datetime

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo

    from spanglass_server.health.desk import HealthDesk
    from spanglass_server.health.model import Component, Uptime
    from spanglass_server.pages.health.looks import Bar

DAYS = 90
_DAY_NS = 86_400 * 10**9
#: Anybody may ask, as often as they like: an answer is kept for so long.
_KEPT_NS = 20 * 10**9
_MOST_OUTAGES = 20
_TITLES = {
    Status.HEALTHY: "Everything works",
    Status.DEGRADED: "Some of it is impaired",
    Status.UNHEALTHY: "Some of it is down",
    Status.UNKNOWN: "How things are is not known",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A component as the status page tells of it."""

    uid: str
    name: str
    status: Status
    word: str
    share: float | None  # of the time that is known
    uptime: str
    days: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class Fault:
    """An outage of a component; ``end_ns`` is 0 while it lasts."""

    name: str
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class Published:
    """The whole page, as it was at a time."""

    title: str
    status: Status
    components: Sequence[Told]
    faults: Sequence[Fault]
    time_ns: int


class Publisher:
    """Makes it; any thread may call. ``OSError`` when the disk can't be used."""

    def __init__(self, desk: HealthDesk, clock_ns: Callable[[], int], zone: tzinfo) -> None:
        self._desk = desk
        self._clock_ns = clock_ns
        self._zone = zone
        self._lock = threading.Lock()
        self._kept: Published | None = None

    def now(self) -> Published:
        """The page as it is, at most 20 s old."""
        now_ns = self._clock_ns()
        with self._lock:
            if self._kept is None or not 0 <= now_ns - self._kept.time_ns < _KEPT_NS:
                self._kept = self._make(now_ns)
            return self._kept

    def _make(self, now_ns: int) -> Published:
        shown = [component for component in self._desk.components() if component.public]
        start_ns = now_ns // _DAY_NS * _DAY_NS - (DAYS - 1) * _DAY_NS
        by_day = self._desk.uptime_by_step
        days = {one.uid: by_day(component_subject(one.uid), start_ns, _DAY_NS, DAYS) for one in shown}
        status = worst(tuple(_felt(component) for component in shown))
        faults = [fault for one in shown for fault in _faults(one.name, days[one.uid])]
        faults.sort(key=lambda fault: -fault.start_ns)
        return Published(
            title=_TITLES[status],
            status=status,
            components=[self._told(one, days[one.uid], start_ns) for one in shown],
            faults=faults[:_MOST_OUTAGES],
            time_ns=now_ns,
        )

    def _told(self, component: Component, days: Sequence[Uptime], start_ns: int) -> Told:
        first = to_datetime(start_ns, self._zone).date()
        names = [f"{day.day}{THIN}{day:%b}" for day in (first + timedelta(days=place) for place in range(len(days)))]
        bars = [(day.share, day.degraded_ns, name) for day, name in zip(days, names, strict=True)]
        share, word = _share(days), looks.PUBLIC[component.status]
        return Told(
            component.uid, component.name, component.status, word, share, looks.uptime(share), looks.strip(bars)
        )


def _felt(component: Component) -> Status:
    """What a component means for the whole: one that is not critical impairs it at most."""
    if component.status is Status.UNHEALTHY and not component.critical:
        return Status.DEGRADED
    return component.status


def _share(days: Sequence[Uptime]) -> float | None:
    known = sum(day.known_ns for day in days)
    return 1 - sum(day.down_ns for day in days) / known if known else None


def _faults(name: str, days: Sequence[Uptime]) -> list[Fault]:
    """The outages of all days; one over midnight is one."""
    found: list[Fault] = []
    for outage in (outage for day in days for outage in day.outages):
        if found and found[-1].end_ns in {0, outage.start_ns}:
            found[-1] = Fault(name, found[-1].start_ns, outage.end_ns)
        else:
            found.append(Fault(name, outage.start_ns, outage.end_ns))
    return found
