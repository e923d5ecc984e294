"""Releases of services: what issues each brought, ended and brought back, and how many of its requests went well."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.issues.model import EventKind
from spanglass_server.issues.states import State
from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.language.compiling.sql import TRUE, Sql
from spanglass_server.query.services.estimates import PROBABILITY, WEIGHT
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.window import describe, widen
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import Signal
from spanglass_server.times import NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spanglass_server.issues.model import Event, IssueSummary, Release
    from spanglass_server.issues.ports import IssueStore
    from spanglass_server.query.issues.answers import ReleaseList, ServiceRelease
    from spanglass_server.query.issues.known import KnownIssues
    from spanglass_server.store.ports import QuerySession, Window

_RELEASE = "resource.service.version:str"
_EVENTS_AT_ONCE = 1000
_AROUND_NS = 600 * NS_PER_SECOND

_Place = tuple[str, str]  # service and release


@dataclass(frozen=True, slots=True)
class _Issues:
    """How many issues each release brought, brought back, and was the end of."""

    new: Counter[_Place]
    regressed: Counter[_Place]
    resolved: Counter[_Place]


def list_releases(
    session: QuerySession, issues: KnownIssues, window: Window, service: str | None, limit: int
) -> ReleaseList:
    """Answer ``GET /api/v1/releases``: by service, the newest release first; at most ``limit`` of each service."""
    snapshot = issues.snapshot()
    summaries = list(snapshot.issues.values())
    requests = _requests(session, window, service)
    services = [service] if service else sorted({name for name, _ in requests} | {each.service for each in summaries})
    counted = _counted(issues.store, summaries)
    found: list[ServiceRelease] = []
    for name in services:
        found += _of_service(session, name, issues.store.releases(name), counted, requests)[:limit]
    return {"window": describe(window), "releases": found}


def _requests(session: QuerySession, window: Window, service: str | None) -> dict[_Place, tuple[int, int]]:
    """Count requests and failed ones by service and release; a request is a span of kind server or consumer."""
    is_sampled = PROBABILITY in session.columns(Signal.SPANS, window)
    sampled = [PROBABILITY] if is_sampled else []
    columns = ("start_time_ns", "kind", "status_code", "trace_id", SERVICE, _RELEASE, *sampled)
    crashes = ("trace_id", "service_name", "handled")
    found = rows(
        session,
        statement(
            "issues/requests_of_releases",
            service=SERVICE_NAME,
            weight=Sql(WEIGHT if is_sampled else "1"),
            relation=Sql(session.relation(Signal.SPANS, window, columns)),
            occurrences=Sql(session.relation(Signal.OCCURRENCES, widen(window, _AROUND_NS), crashes)),
            only=TRUE if service is None else Sql("service = ?", (service,)),
        ),
    )
    return {(row["service"], row["release"]): (row["requests"], row["failed"]) for row in found}


def _counted(store: IssueStore, summaries: Sequence[IssueSummary]) -> _Issues:
    new = Counter((each.service, each.first_release) for each in summaries)
    resolved = Counter(
        (each.service, each.status.resolution.release)
        for each in summaries
        if each.status.state is State.RESOLVED and each.status.resolution
    )
    regressed = {(event.issue, event.service, event.release) for event in _regressions(store)}
    return _Issues(new, Counter((service, release) for _, service, release in regressed), resolved)


def _regressions(store: IssueStore) -> Iterator[Event]:
    after = 0
    while events := store.events(after, _EVENTS_AT_ONCE):
        yield from (event for event in events if event.kind is EventKind.REGRESSION)
        after = events[-1].id


def _of_service(
    session: QuerySession,
    service: str,
    releases: Sequence[Release],
    counted: _Issues,
    requests: dict[_Place, tuple[int, int]],
) -> list[ServiceRelease]:
    """Write a service's releases, the newest first, each beside the one before."""
    found: list[ServiceRelease] = []
    before: float | None = None
    name_before: str | None = None
    for release in releases:
        place = (service, release.release)
        total, failed = requests.get(place, (0, 0))
        free = round(1 - failed / total, 6) if total else None
        found.append(
            {
                "service": service,
                "slot": session.service_slot(service),
                "release": release.release,
                "environments": list(release.environments),
                "first_seen_time": format_time(release.first_ns),
                "last_seen_time": format_time(release.last_ns),
                "new_issues": counted.new[place],
                "regressed_issues": counted.regressed[place],
                "resolved_issues": counted.resolved[place],
                "requests": total,
                "failed_requests": failed,
                "crash_free_share": free,
                "before": name_before,
                "crash_free_share_before": before,
            }
        )
        before, name_before = free, release.release
    return found[::-1]
