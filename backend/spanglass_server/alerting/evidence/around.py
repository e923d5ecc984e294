"""What else is to be seen of the alert's service or host: its figures, its logs of errors, its processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from spanglass_core.attribute_names import HEALTH_CHANGED_EVENT, HEALTH_CHECK_NAME
from spanglass_server.alerting.evidence.topics import LOG_ERRORS, REQUESTS
from spanglass_server.alerting.evidence.words import shortened
from spanglass_server.error_text import one_line
from spanglass_server.query.comparing.operations import Figures, compare_operations, figures
from spanglass_server.query.hosts.listing import list_processes
from spanglass_server.query.language.parsing.text import quote
from spanglass_server.query.logs.search import LogList, search_logs
from spanglass_server.query.records import match_records
from spanglass_server.query.window import clamp
from spanglass_server.signals import Signal
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from spanglass_server.alerting.evidence.answers import FiguresShown, LogShown, ProcessShown
    from spanglass_server.alerting.evidence.subject import Subject
    from spanglass_server.query.comparing.operations import Compared
    from spanglass_server.store.ports import QuerySession, Window

_MOST_OPERATIONS = 8
_MOST_LOGS = 3
_MOST_PROCESSES = 5
#: Requests are counted over so long at least.
_LEAST_NS = 60 * NS_PER_SECOND
#: Fewer spans say nothing about an operation.
_LEAST_SPANS = 5


def figures_of(session: QuerySession, subject: Subject) -> FiguresShown:
    """Requests of the service since it is bad and as long before, and its operations by how much they changed."""
    service = f"service.name = {quote(subject.service)}"
    records = match_records(session, Signal.SPANS, subject.both(), service)
    compared = compare_operations(session, records, subject.start_ns)
    start_ns = min(subject.start_ns, subject.at_ns - _LEAST_NS)
    around = clamp(2 * start_ns - subject.window.end_ns, subject.window.end_ns)
    requests = match_records(session, Signal.SPANS, around, f"{service} and {REQUESTS}")
    now, before = figures(session, requests, start_ns)
    served = [each["now"] for each in compared if each["kind"] in {"server", "consumer"}]
    spans, errors = (sum(each[name] for each in served) for name in ("spans", "errors"))
    compared.sort(key=lambda each: (-changed(each), each["operation"]))
    return {
        "now": now,
        "before": before,
        "failed_share": round(errors / spans, 4) if spans else 0.0,
        "operations": compared[:_MOST_OPERATIONS],
    }


def changed(each: Compared) -> float:
    """How much an operation changed: the time that it takes more than before, or the errors, as a factor."""
    now, before = each["now"], each["before"]
    if now["spans"] < _LEAST_SPANS:
        return 0.0
    if before["spans"] < _LEAST_SPANS:
        return 1.0
    slower = (now["p95_ns"] or 0) / max(before["p95_ns"] or 0, 1)
    fails = 10 * (failed_share(now) - failed_share(before))
    return max(slower, fails)


def failed_share(of: Figures) -> float:
    """The share of spans that failed."""
    return of["errors"] / of["spans"] if of["spans"] else 0.0


def filter_of_logs(subject: Subject) -> str:
    """Which logs are shown: those of errors of the service, or those that the alert counts.

    Of a health check they are those that tell what was wrong with it: others of its service are about other checks.
    """
    if subject.topic == "logs":
        return " and ".join(f"({text})" for text in (subject.filter, subject.bad) if text)
    service = f"service.name = {quote(subject.service)} and " if subject.service else ""
    if subject.health_check:
        of_check = f"{HEALTH_CHECK_NAME} = {quote(subject.health_check)}"
        changed_to_worse = f"event_name = {quote(HEALTH_CHANGED_EVENT)} and severity >= warn"
        return f"{service}{changed_to_worse} and {of_check}"
    return f"{service}{LOG_ERRORS}"


def error_logs(session: QuerySession, filter_text: str, window: Window) -> list[LogShown]:
    """The newest logs that match a filter."""
    found = cast("LogList", search_logs(session, window, filter_text=filter_text, limit=_MOST_LOGS))
    return [
        {
            "log": log["id"],
            "time": log["time"],
            "severity": log["severity"],
            "service": log["service"],
            "body": shortened(one_line(log["body"])),
            "trace_id": log["trace_id"],
        }
        for log in found["logs"]
    ]


def processes_of(session: QuerySession, subject: Subject) -> list[ProcessShown]:
    """Processes of the host or service that use most: memory if that is what the alert is about, else processors."""
    found = list_processes(session, subject.window, subject.host or None, None if subject.host else subject.service)
    processes = found["processes"]
    if "memory" in subject.name or "swap" in subject.name:
        processes.sort(key=lambda each: -(each["memory"] or 0))
    return [
        {
            "host": each["host"],
            "pid": each["pid"],
            "service": each["service"],
            "command": shortened(each["command"] or ""),
            "cpu": each["cpu"],
            "memory": each["memory"],
            "uptime_s": each["uptime_s"],
        }
        for each in processes[:_MOST_PROCESSES]
    ]
