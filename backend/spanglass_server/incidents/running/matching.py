"""Which incident an alert belongs to, and why: the same service, neighbours in the service graph, time; pure."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.alerting.store.filters import host_of, joining_service_of, own_check_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from spanglass_server.alerting.model import Alert
    from spanglass_server.incidents.model import Held, Incident, Member

    #: Gives the services that a service works with, before a time in nanoseconds.
    Companions = Callable[[str, int], frozenset[str]]


@dataclass(slots=True)
class Place:
    """What of an incident alerts are compared with. Times are in nanoseconds."""

    incident: Incident
    fingerprints: set[str]
    problems: set[str]  # ids of alerts, and of those that they are part of
    services: dict[str, None]
    hosts: set[str]
    raised_ns: list[int]  # when it began and its alerts were raised, ascending
    quiet_ns: int  # when the last of them was over
    is_going_on: bool

    @classmethod
    def of(cls, held: Held) -> Place:
        """The place of an incident as it is."""
        incident = held.incident
        begun_ns = max(incident.last_ns, incident.started_ns)
        named, times = dict.fromkeys(incident.named), [incident.started_ns]
        place = cls(incident, set(), set(), named, set(), times, begun_ns, is_going_on=False)
        for member in held.present:
            place.add(member)
        return place

    def add(self, member: Member) -> None:
        """One more alert."""
        self.fingerprints.add(member.fingerprint)
        self.problems.update(filter(None, (member.alert_id, member.part_of)))
        self.services.update(dict.fromkeys(filter(None, (member.service,))))
        self.hosts.update(filter(None, (member.host,)))
        insort(self.raised_ns, member.created_ns)
        self.quiet_ns = max(self.quiet_ns, member.ended_ns)
        self.is_going_on = self.is_going_on or not member.ended_ns

    def is_near(self, time_ns: int, within_ns: int) -> bool:
        """Whether it began, or an alert of it was raised, so near to a time."""
        at = bisect_left(self.raised_ns, time_ns - within_ns)
        return at < len(self.raised_ns) and self.raised_ns[at] <= time_ns + within_ns


def reason(alert: Alert, place: Place, within_ns: int, companions: Companions) -> tuple[int, str]:
    """How surely an alert belongs to an incident, 0 for not at all, and why in words.

    An alert of the same rule and key, or of the same problem, does while the incident is not over. One of the same
    service or host does while an alert of the incident is open, and ``within_ns`` after the last one. One of a service
    that works with those of the incident does when it is raised ``within_ns`` after another alert of it.
    """
    if alert.fingerprint in place.fingerprints:
        return 4, "the same rule fires again for it"
    if alert.part_of in place.problems or alert.id in place.problems:
        return 3, "part of the same problem"
    is_near = place.is_near(alert.created_ns, within_ns)
    is_in_time = is_near or place.is_going_on or alert.created_ns <= place.quiet_ns + within_ns
    service, host = joining_service_of(alert), host_of(alert)
    if service in place.services:
        return (2, f"about {service} as well") if is_in_time else (0, "")
    if not service and not own_check_of(alert) and host and host in place.hosts:
        return (2, f"about the host {host} as well") if is_in_time else (0, "")
    if service and place.services and is_near:
        works_with = companions(service, alert.created_ns)
        neighbour = next((each for each in place.services if each in works_with), "")
        if neighbour:
            return 1, f"{service} works with {neighbour}"
    return 0, ""


def best(alert: Alert, places: Iterable[Place], within_ns: int, companions: Companions) -> tuple[Place, str] | None:
    """The incident that an alert belongs to most surely, of those alike the newest, and why; None for none."""
    found: tuple[int, int, Place, str] | None = None
    for place in places:
        sure, why = reason(alert, place, within_ns, companions)
        if sure and (found is None or (sure, place.incident.opened_ns) > found[:2]):
            found = (sure, place.incident.opened_ns, place, why)
    return None if found is None else found[2:]


class Loose:
    """Open alerts that are in no incident, by what they may have in common."""

    def __init__(self, alerts: Iterable[Alert]) -> None:
        self._alerts: dict[str, Alert] = {}
        self._by: dict[tuple[str, str], dict[str, Alert]] = {}
        for alert in alerts:
            self._alerts[alert.id] = alert
            for key in _keys(alert):
                self._by.setdefault(key, {})[alert.id] = alert

    def __contains__(self, alert_id: str) -> bool:
        return alert_id in self._alerts

    def __len__(self) -> int:
        return len(self._alerts)

    def rest(self) -> dict[str, Alert]:
        """Those that are left, by id."""
        return dict(self._alerts)

    def take(self, alert_id: str) -> None:
        """Take one out."""
        alert = self._alerts.pop(alert_id)
        for key in _keys(alert):
            self._by[key].pop(alert_id)

    def together(self, alert: Alert, within_ns: int, companions: Companions) -> list[tuple[Alert, str]]:
        """Those that belong to an alert, the first that was raised first, each with why."""
        service, host, check = joining_service_of(alert), host_of(alert), own_check_of(alert)
        found: dict[str, tuple[Alert, str]] = {}

        def look(key: tuple[str, str], why: str) -> None:
            for other in self._by.get(key, {}).values():
                if other.id != alert.id and abs(other.created_ns - alert.created_ns) <= within_ns:
                    found.setdefault(other.id, (other, why))

        look(("problem", alert.part_of or alert.id), "part of the same problem")
        if service:
            look(("service", service), f"about {service} as well")
            others = {name for kind, name in self._by if kind == "service"} - {service}
            for name in sorted(others & companions(service, alert.created_ns)) if others else ():
                look(("service", name), f"{name} works with {service}")
        elif check:
            look(("check", check), "about the same health check")
        elif host:
            look(("host", host), f"about the host {host} as well")
        return sorted(found.values(), key=lambda each: (each[0].created_ns, each[0].id))


def _keys(alert: Alert) -> list[tuple[str, str]]:
    about = {"service": joining_service_of(alert), "check": own_check_of(alert), "host": host_of(alert)}
    first = next(((kind, name) for kind, name in about.items() if name), None)
    problem = ("problem", alert.part_of or alert.id)
    return [problem] if first is None else [problem, first]
