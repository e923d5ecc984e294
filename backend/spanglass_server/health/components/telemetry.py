"""Components from telemetry that nobody sent as a check: services, APIs, databases, caches, dependencies, tasks, hosts.

They are judged by the share of their calls that fail, and by the alerts that are open about them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from spanglass_core.units import format_duration
from spanglass_server.health.components.naming import CACHES, uid_of
from spanglass_server.health.model import Component, Figure, Status, worst
from spanglass_server.query.hosts.listing import list_hosts
from spanglass_server.query.services.calls import list_calls
from spanglass_server.query.services.services import list_services
from spanglass_server.signals import SENT
from spanglass_server.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from spanglass_server.health.model import Area
    from spanglass_server.query.hosts.listing import Host
    from spanglass_server.query.services.calls import Calls
    from spanglass_server.query.services.services import Service
    from spanglass_server.store.ports import QuerySession, Window

T = TypeVar("T")
#: Fewer failed calls are chance.
_LEAST_ERRORS: Final = 3
_MOST_ALERTS: Final = 3
_CALLERS: Final = frozenset({"client", "producer"})


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Shares of calls that fail, from which on a component is degraded, and unhealthy."""

    degraded: float
    unhealthy: float


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert that is open, as far as it says how something is; ``status`` is what it means for it."""

    service: str
    host: str
    status: Status
    title: str


@dataclass(frozen=True, slots=True)
class _Totals:
    """Calls of one component added up; the latency is that of the slowest part."""

    calls: int
    errors: int
    p95_ns: int | None
    last_ns: int


class Seldom(Generic[T]):
    """What is asked for once in ``every_ns`` where there is any: hosts and calls are the dearest, and change slowly.

    It costs little to find none, and the first ones are wanted soon.
    """

    def __init__(self, every_ns: int, ask: Callable[[QuerySession, Window], Sequence[T]]) -> None:
        self._every_ns = every_ns
        self._ask = ask
        self._asked_ns = 0
        self._found: Sequence[T] = []

    def of(self, session: QuerySession, window: Window) -> Sequence[T]:
        """What was found at most so long before the window's end."""
        if not self._found or not 0 <= window.end_ns - self._asked_ns < self._every_ns:
            self._found, self._asked_ns = self._ask(session, window), window.end_ns
        return self._found


class HeardSeldom:
    """Hosts and calls, asked for once in so many nanoseconds; each time where that is 0."""

    def __init__(self, hosts_ns: int = 0, calls_ns: int = 0) -> None:
        self.hosts: Seldom[Host] = Seldom(hosts_ns, lambda *asked: list_hosts(*asked)["hosts"])
        self.calls: Seldom[Calls] = Seldom(calls_ns, list_calls)


def telemetry_components(
    session: QuerySession,
    window: Window,
    thresholds: Thresholds,
    alerts: Sequence[OpenAlert],
    heard: HeardSeldom | None = None,
) -> list[Component]:
    """All of them, of what was sent within the window."""
    if not any(session.parts(signal, window) for signal in SENT):
        return []
    judge = _Judge(thresholds, alerts, window)
    services = list_services(session, window, 0)["services"]
    heard = heard or HeardSeldom()
    calls = heard.calls.of(session, window)
    hosts = heard.hosts.of(session, window)
    return [
        *(judge.service(service) for service in services),
        *judge.of_calls(calls),
        *(judge.host(host) for host in hosts),
    ]


class _Judge:
    """Makes components of figures."""

    def __init__(self, thresholds: Thresholds, alerts: Sequence[OpenAlert], window: Window) -> None:
        self._thresholds = thresholds
        self._end_ns = window.end_ns
        self._window_s = (window.end_ns - window.start_ns) / 1e9
        self._over = format_duration(window.end_ns - window.start_ns)
        self._of_service: dict[str, list[OpenAlert]] = defaultdict(list)
        self._of_host: dict[str, list[OpenAlert]] = defaultdict(list)
        for alert in alerts:
            if alert.service:
                self._of_service[alert.service].append(alert)
            elif alert.host:
                self._of_host[alert.host].append(alert)

    def service(self, service: Service) -> Component:
        """One service, by its requests and the alerts about it."""
        totals = _Totals(
            service["requests"],
            service["errors"],
            service["p95_ns"],
            parse_time(service["last_seen_time"], self._end_ns),
        )
        component = self._component("service", service["service"], totals, critical=True)
        return _with_alerts(
            replace(component, service=service["service"]), self._of_service.get(service["service"], ())
        )

    def host(self, host: Host) -> Component:
        """One host, by the alerts about it."""
        disks = [disk["ratio"] for disk in host["disks"]]
        shares = {
            "cpu": host["cpu"],
            "memory": host["memory"]["ratio"] if host["memory"] else None,
            "disk": max(disks, default=None),
        }
        component = Component(
            uid=uid_of("system", host["host"]),
            name=host["host"],
            area="system",
            status=Status.HEALTHY,
            last_ns=parse_time(host["last_time"], self._end_ns),
            sources=("telemetry",),
            critical=False,
            host=host["host"],
            figures={name: Figure(share, "ratio") for name, share in shares.items() if share is not None},
        )
        return _with_alerts(component, self._of_host.get(host["host"], ()))

    def of_calls(self, calls: Sequence[Calls]) -> list[Component]:
        """APIs and tasks of services, and what they call."""
        own = {(call.address, call.port) for call in calls if call.kind == "server" and call.address}
        groups: dict[tuple[Area, str], list[Calls]] = defaultdict(list)
        for call in calls:
            place = _place(call, own)
            if place is not None:
                groups[place].append(call)
        return [
            replace(
                self._component(area, name, _added(group), critical=False),
                service=group[0].service if area in {"api", "task"} else "",
            )
            for (area, name), group in groups.items()
        ]

    def _component(self, area: Area, name: str, totals: _Totals, *, critical: bool) -> Component:
        share = totals.errors / totals.calls if totals.calls else 0.0
        status = Status.HEALTHY
        if totals.errors >= _LEAST_ERRORS and share >= self._thresholds.degraded:
            status = Status.UNHEALTHY if share >= self._thresholds.unhealthy else Status.DEGRADED
        figures = {
            "calls": Figure(totals.calls / self._window_s, "/s"),
            "errors": Figure(share, "ratio"),
            **({"p95": Figure(totals.p95_ns / 1e9, "s")} if totals.p95_ns is not None else {}),
        }
        return Component(
            uid=uid_of(area, name),
            name=name,
            area=area,
            status=status,
            last_ns=totals.last_ns,
            latency_ns=totals.p95_ns,
            reason=f"{share:.0%} of the calls of the last {self._over} failed" if status is not Status.HEALTHY else "",
            sources=("telemetry",),
            critical=critical,
            figures=figures,
        )


def _place(call: Calls, own: set[tuple[str, str]]) -> tuple[Area, str] | None:
    """Area and name of what a group of calls tells about; None for what is told elsewhere."""
    if call.kind == "server":
        return ("api", call.service) if call.is_http else None
    if call.kind == "consumer":
        return "task", call.service
    if call.kind not in _CALLERS:
        return None
    address = f"{call.address}:{call.port}" if call.address and call.port else call.address
    if call.system:
        name = " ".join(part for part in (call.system, call.namespace) if part)
        return ("cache" if call.system in CACHES else "database"), f"{name} on {address}" if address else name
    if call.queue:
        return "dependency", f"queue {call.queue}"
    return ("dependency", address) if address and (call.address, call.port) not in own else None


def _added(group: Sequence[Calls]) -> _Totals:
    slowest = max((call.p95_ns for call in group if call.p95_ns is not None), default=None)
    return _Totals(
        sum(call.calls for call in group),
        sum(call.errors for call in group),
        slowest,
        max(call.last_ns for call in group),
    )


def _with_alerts(component: Component, alerts: Iterable[OpenAlert]) -> Component:
    telling = [alert for alert in alerts if alert.status is not Status.HEALTHY]
    if not telling:
        return component
    titles = [alert.title for alert in telling[:_MOST_ALERTS]]
    more = f" and {len(telling) - _MOST_ALERTS} more alerts" if len(telling) > _MOST_ALERTS else ""
    reasons = [component.reason, f"{'; '.join(titles)}{more}"]
    return replace(
        component,
        status=worst((component.status, *(alert.status for alert in telling))),
        reason="; ".join(reason for reason in reasons if reason),
    )


def merged(components: Iterable[Component]) -> Mapping[str, Component]:
    """Components by uid; those of several sources with one uid are one, the worst counts."""
    found: dict[str, Component] = {}
    for component in components:
        first = found.get(component.uid)
        found[component.uid] = component if first is None else _both(first, component)
    return found


def _both(first: Component, second: Component) -> Component:
    """What one source tells of a component beside what another one does; names and latency are the first's."""
    return replace(
        first,
        status=worst((first.status, second.status)),
        last_ns=max(first.last_ns, second.last_ns),
        latency_ns=first.latency_ns if first.latency_ns is not None else second.latency_ns,
        reason="; ".join(reason for reason in (first.reason, second.reason) if reason),
        sources=tuple(dict.fromkeys((*first.sources, *second.sources))),
        checks=(*first.checks, *second.checks),
        critical=first.critical or second.critical,
        service=first.service or second.service,
        host=first.host or second.host,
        public=first.public or second.public,
        figures={**second.figures, **first.figures},
    )
