"""Checks that applications run themselves, from the metrics and events that they send (docs/app/health-checks.md)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spanglass_core.attribute_names import (
    HEALTH_CHANGED_EVENT,
    HEALTH_CHECK_NAME,
    HEALTH_CHECK_UID,
    HEALTH_DETAIL,
    HEALTH_STATUS,
)
from spanglass_server.health.components.naming import application_uid, area_of_name
from spanglass_server.health.model import RANKS, CheckView, Status
from spanglass_server.promql.engine import instant
from spanglass_server.promql.series.vectors import Vector
from spanglass_server.query.logs.search import search_logs
from spanglass_server.query.window import clamp
from spanglass_server.times import NS_PER_MS, parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.promql.ports import SeriesSource
    from spanglass_server.store.ports import QuerySession

_SELECTOR: Final = '{"spanglass.health.check.status", spanglass_health_check_uid=""}'
_BY: Final = "by (service_name, instance, spanglass_health_check_name, spanglass_health_check_critical)"
_STATUS: Final = f"min {_BY} ({_SELECTOR})"
_TIME: Final = f"max {_BY} (timestamp({_SELECTOR}))"
_DURATION: Final = " / ".join(
    f'sum {_BY} (rate(spanglass_health_check_duration_seconds_{part}{{spanglass_health_check_uid=""}}[5m]))'
    for part in ("sum", "count")
)
_NAME, _CRITICAL, _SERVICE = "spanglass_health_check_name", "spanglass_health_check_critical", "service_name"
#: How far back the reason of a status is looked for, and how many events.
_EVENTS_NS: Final = 24 * 3600 * 10**9
_EVENTS: Final = 1000

Key = tuple[str, str]  # service, name


@dataclass(frozen=True, slots=True)
class Told:
    """What the latest event says of a check."""

    status: str
    detail: str
    time_ns: int


def application_checks(session: QuerySession, source: SeriesSource, now_ns: int) -> list[CheckView]:
    """The checks that applications told of within the last five minutes.

    Instances that tell of the same check are one: unhealthy if all are, else degraded if any is not healthy.
    """
    time_ms = now_ns // NS_PER_MS
    statuses = _by_key(_values(source, _STATUS, time_ms))
    if not statuses:
        return []
    times = _by_key(_values(source, _TIME, time_ms))
    durations = _by_key(_values(source, _DURATION, time_ms))
    events = _events(session, now_ns)
    return [
        _view(key, found, times.get(key, []), durations.get(key, []), events.get(key))
        for key, found in sorted(statuses.items())
    ]


def _values(source: SeriesSource, text: str, time_ms: int) -> list[tuple[Mapping[str, str], float]]:
    value = instant(source, text, time_ms).value
    assert isinstance(value, Vector)  # noqa: S101 - what these expressions are
    rows = zip(value.labels.rows(), value.values[:, 0].tolist(), value.present[:, 0].tolist(), strict=True)
    return [(labels, number) for labels, number, present in rows if present]


def _by_key(
    found: list[tuple[Mapping[str, str], float]],
) -> dict[Key, list[tuple[Mapping[str, str], float]]]:
    groups: dict[Key, list[tuple[Mapping[str, str], float]]] = defaultdict(list)
    for labels, number in found:
        if labels.get(_NAME):
            groups[(labels.get(_SERVICE, ""), labels[_NAME])].append((labels, number))
    return groups


def _view(
    key: Key,
    found: list[tuple[Mapping[str, str], float]],
    times: list[tuple[Mapping[str, str], float]],
    durations: list[tuple[Mapping[str, str], float]],
    told: Told | None,
) -> CheckView:
    service, name = key
    statuses = [_status(number) for _, number in found]
    status = _of_instances(statuses)
    bad = sum(each is not Status.HEALTHY for each in statuses)
    is_told = told is not None and (told.status == status or (bad > 0 and told.status != Status.HEALTHY))
    detail = told.detail if told is not None and is_told else ""
    if bad and len(statuses) > 1:
        detail = f"{bad} of {len(statuses)} instances{f': {detail}' if detail else ''}"
    took = [seconds for _, seconds in durations if seconds == seconds]  # noqa: PLR0124 - NaN: it did not run
    return CheckView(
        uid=application_uid(service, name),
        name=f"{service}: {name}" if service else name,
        kind="application",
        area=area_of_name(name),
        component=f"{service}: {name}" if service else name,
        source="application",
        critical=any(labels.get(_CRITICAL) != "false" for labels, _ in found),
        enabled=True,
        status=status,
        since_ns=told.time_ns if told is not None and is_told else 0,
        last_ns=round(max((seconds for _, seconds in times), default=0.0) * 1e9),
        latency_ns=round(max(took) * 1e9) if took else None,
        detail=detail,
        service=service,
        instances=len(statuses),
    )


def _status(number: float) -> Status:
    if number >= 1:
        return Status.HEALTHY
    return Status.DEGRADED if number > 0 else Status.UNHEALTHY


def _of_instances(statuses: list[Status]) -> Status:
    if len(set(statuses)) == 1:
        return statuses[0]
    return Status.DEGRADED if any(RANKS[each] for each in statuses) else Status.HEALTHY


def _events(session: QuerySession, now_ns: int) -> dict[Key, Told]:
    """The latest event of each check."""
    found: Any = search_logs(
        session,
        clamp(now_ns - _EVENTS_NS, now_ns + 1),
        filter_text=f'event_name = "{HEALTH_CHANGED_EVENT}"',
        limit=_EVENTS,
    )
    latest: dict[Key, Told] = {}
    for log in found["logs"]:
        attributes = log["attributes"]
        if HEALTH_CHECK_UID in attributes:
            continue
        key = (log["service"], str(attributes.get(HEALTH_CHECK_NAME, "")))
        time_ns = parse_time(log["time"], now_ns)
        latest.setdefault(
            key, Told(str(attributes.get(HEALTH_STATUS, "")), str(attributes.get(HEALTH_DETAIL, "")), time_ns)
        )
    return latest
