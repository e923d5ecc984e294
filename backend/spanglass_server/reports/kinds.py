"""The kinds of reports, each a list of sections.

A section that something else of the server makes possible is a module of ``sections/`` with a function from
``Questions`` to blocks, and a line here. One that finds that the server has nothing of its sort returns no blocks, and
is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spanglass_server.reports.sections import (
    alerts,
    anomalies,
    costs,
    coverage,
    errors,
    findings,
    health,
    hosts,
    objectives,
    operations,
    outlook,
    requests,
    services,
    storage,
    tasks,
    use,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from spanglass_server.reports.asking import Questions
    from spanglass_server.reports.model import Block, Scope

    Build = Callable[[Questions], Awaitable[list[Block]]]


@dataclass(frozen=True, slots=True)
class Part:
    """A section; ``of_a_service``: whether there is one in reports about one service."""

    id: str
    title: str
    build: Build
    of_a_service: bool = True


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of reports; ``summary`` says in a sentence what is in it."""

    name: str
    title: str
    summary: str
    parts: tuple[Part, ...]


_REQUESTS: Final = Part("requests", "Requests", requests.build)
_SERVICES: Final = Part("services", "Services", services.build, of_a_service=False)
_CHANGED: Final = Part("changed", "What got slower, and what fails more", operations.build)
_FINDINGS: Final = Part("findings", "What makes requests slow", findings.build)
_ERRORS: Final = Part("errors", "Errors", errors.build)
_ALERTS: Final = Part("alerts", "Alerts and incidents", alerts.build)
_HEALTH: Final = Part("health", "Health and uptime", health.build)
_OBJECTIVES: Final = Part("objectives", "Objectives", objectives.build)
_CAPACITY: Final = Part("capacity", "What runs out, and when", outlook.build_capacity)
_ANOMALIES: Final = Part("anomalies", "What was unusual", anomalies.build)
_TRENDS: Final = Part("trends", "What rises, falls or jumped", outlook.build_trends)
_HOSTS: Final = Part("hosts", "Hosts", hosts.build, of_a_service=False)
_USERS: Final = Part("users", "Users", use.build_users)
_ACTIVE: Final = Part("active", "Active users, up to the end of the range", use.build_active)
_FEATURES: Final = Part("features", "Features and paths", use.build_features)
_TASKS: Final = Part("tasks", "Background tasks", tasks.build)
_COSTS: Final = Part("costs", "What it costs, and what to drop", costs.build, of_a_service=False)
_COVERAGE: Final = Part("coverage", "Which telemetry is there, and which is not", coverage.build, of_a_service=False)
_STORAGE: Final = Part("storage", "What is stored", storage.build, of_a_service=False)

#: Comes first in reports about a service that nothing is known of.
UNKNOWN: Final = Part("unknown", "Is this service there?", services.build_unknown)

KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind(
            "week",
            "The week",
            "Everything that a team looks at weekly, against the period before.",
            (
                _REQUESTS, _CHANGED, _FINDINGS, _ERRORS, _ALERTS, _HEALTH, _OBJECTIVES, _CAPACITY, _SERVICES,
                _ANOMALIES, _TRENDS, _HOSTS, _USERS, _TASKS, _COSTS, _COVERAGE, _STORAGE,
            ),
        ),
        Kind(
            "performance",
            "Performance",
            "Requests, services, what got slower, and what makes it slow.",
            (_REQUESTS, _SERVICES, _CHANGED, _ANOMALIES, _TRENDS, _FINDINGS, _TASKS, _ERRORS),
        ),
        Kind(
            "health",
            "Health",
            "Uptime, alerts and incidents with how long they took, hosts.",
            (_HEALTH, _OBJECTIVES, _ALERTS, _ANOMALIES, _ERRORS, _CAPACITY, _HOSTS, _COVERAGE),
        ),
        Kind(
            "usage",
            "Usage",
            "Users, sessions, features and paths, background tasks.",
            (_USERS, _ACTIVE, _FEATURES, _TASKS),
        ),
        Kind(
            "cost",
            "Cost",
            "What is stored and what it costs, by signal, service and attribute, and what to drop.",
            (_COSTS, _STORAGE),
        ),
    )
}  # fmt: skip


_HOUR_NS: Final = 3_600_000_000_000
_DAY_NS: Final = 24 * _HOUR_NS
#: What a report of everything is called by its length; the hour of a change to or from summer time is no matter.
_LENGTHS: Final = (
    ("The day", _DAY_NS - _HOUR_NS, _DAY_NS + _HOUR_NS),
    ("The week", 7 * _DAY_NS - _HOUR_NS, 7 * _DAY_NS + _HOUR_NS),
    ("The month", 28 * _DAY_NS - _HOUR_NS, 31 * _DAY_NS + _HOUR_NS),
)


def title_of(scope: Scope) -> str:
    """What a report is called: that of the week by the range that it is about, where that is no week."""
    if scope.kind != "week":
        return KINDS[scope.kind].title if scope.kind in KINDS else scope.kind
    length = scope.end_ns - scope.start_ns
    return next((name for name, least, most in _LENGTHS if least <= length <= most), "Everything")
