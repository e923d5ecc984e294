"""Which alerts a filter means: what it compares of an alert, as SQL and in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.service_names import OWN_SERVICE

if TYPE_CHECKING:
    from spanglass_server.alerting.model import Alert
    from spanglass_server.alerting.ports import AlertFilter

#: Labels that name the service or host of an alert, the first that there is counts.
SERVICE_LABELS = ("service", "service_name", "service.name", "job")
HOST_LABELS = ("host", "host_name", "host.name", "instance")
#: Labels that name a health check.
CHECK_LABELS = ("spanglass_health_check_uid", "spanglass_health_check_name")


def service_of(alert: Alert) -> str:
    """The service that an alert is about; "" if none is."""
    return _first(alert, SERVICE_LABELS)


def own_check_of(alert: Alert) -> str:
    """The server's own health check that an alert is about; "" if it is about none, or the check names a service."""
    return _first(alert, CHECK_LABELS) if service_of(alert) == OWN_SERVICE else ""


def joining_service_of(alert: Alert) -> str:
    """The service by which an alert is joined with others; "" for the server's own checks, which look at anything."""
    return "" if own_check_of(alert) else service_of(alert)


def host_of(alert: Alert) -> str:
    """The host that an alert is about; "" if none is."""
    return _first(alert, HOST_LABELS)


def _first(alert: Alert, names: tuple[str, ...]) -> str:
    known = {**alert.labels, **dict(alert.key)}
    return next((known[name] for name in names if known.get(name)), "")


def words_of(alert: Alert) -> str:
    """What ``AlertFilter.text`` is looked for in."""
    return "\n".join([alert.title, alert.description, alert.rule_name, *alert.labels.values()]).casefold()


def matches(wanted: AlertFilter, alert: Alert) -> bool:
    """Whether an alert is meant."""
    return (
        (not wanted.statuses or alert.status in wanted.statuses)
        and (not wanted.severities or alert.severity in wanted.severities)
        and wanted.rule_uid in ("", alert.rule_uid)
        and wanted.service in ("", service_of(alert))
        and wanted.host in ("", host_of(alert))
        and wanted.source in ("", alert.source)
        and wanted.part_of in (None, alert.part_of)
        and wanted.text.casefold() in words_of(alert)
        and wanted.start_ns <= alert.created_ns
        and (not wanted.end_ns or alert.created_ns < wanted.end_ns)
        and all(alert.labels.get(name) == value for name, value in wanted.labels.items())
    )


def condition(wanted: AlertFilter) -> tuple[str, list[Any]]:
    """The same as a condition of SQL over ``alerts``, with its parameters."""
    parts: list[str] = ["created_ns >= ?"]
    values: list[Any] = [wanted.start_ns]
    rows: list[tuple[str, Any]] = [
        ("created_ns < ?", wanted.end_ns),
        ("rule_uid = ?", wanted.rule_uid),
        ("source = ?", wanted.source),
        ("service = ?", wanted.service),
        ("host = ?", wanted.host),
        ("instr(words, ?) > 0", wanted.text.casefold()),
    ]
    for sql, value in rows:
        if value:
            parts.append(sql)
            values.append(value)
    if wanted.part_of is not None:
        parts.append("part_of = ?")
        values.append(wanted.part_of)
    for column, allowed in (("status", wanted.statuses), ("severity", wanted.severities)):
        if allowed:
            parts.append(f"{column} IN ({', '.join('?' * len(allowed))})")
            values.extend(str(one) for one in allowed)
    for name, value in wanted.labels.items():
        parts.append("EXISTS (SELECT 1 FROM json_each(labels) AS label WHERE label.key = ? AND label.value = ?)")
        values.extend((name, value))
    return " AND ".join(parts), values
