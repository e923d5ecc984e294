"""Which incidents a filter means: in Python, and as SQL over the incident store's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from spanglass_server.incidents.model import Incident
    from spanglass_server.incidents.ports import IncidentFilter


def words_of(incident: Incident) -> str:
    """What ``IncidentFilter.text`` is looked for in."""
    texts = [incident.title, incident.summary, incident.cause, incident.resolution, incident.lead]
    lists = (incident.named, incident.services, incident.hosts, incident.responders)
    return "\n".join([*texts, *(each for listed in lists for each in listed)]).casefold()


def matches(wanted: IncidentFilter, incident: Incident, alert_ids: Collection[str]) -> bool:
    """Whether an incident, with these alerts, is meant."""
    text = wanted.text.casefold()
    return (
        (not wanted.statuses or incident.status in wanted.statuses)
        and (not wanted.severities or incident.severity in wanted.severities)
        and wanted.service in ("", *incident.named, *incident.services)
        and wanted.rule_uid in ("", *incident.rules)
        and (not wanted.alert_id or wanted.alert_id in alert_ids)
        and (text in words_of(incident) or text == incident.id.casefold())
        and wanted.start_ns <= incident.opened_ns
        and (not wanted.end_ns or incident.opened_ns < wanted.end_ns)
    )


def condition(wanted: IncidentFilter) -> tuple[str, list[Any]]:
    """The same as a condition of SQL over ``incidents``, with its parameters."""
    parts: list[str] = ["opened_ns >= ?"]
    values: list[Any] = [wanted.start_ns]
    marked = "EXISTS (SELECT 1 FROM marks WHERE incident = number AND kind = '{kind}' AND value = ?)"
    member = "EXISTS (SELECT 1 FROM members WHERE incident = number AND alert_id = ? AND NOT has_left)"
    text = wanted.text.casefold()
    rows: list[tuple[str, Any]] = [
        ("opened_ns < ?", wanted.end_ns),
        (marked.format(kind="service"), wanted.service),
        (marked.format(kind="rule"), wanted.rule_uid),
        (member, wanted.alert_id),
    ]
    for sql, value in rows:
        if value:
            parts.append(sql)
            values.append(value)
    if text:
        parts.append("(instr(words, ?) > 0 OR 'inc-' || number = ?)")
        values.extend((text, text))
    for column, allowed in (("status", wanted.statuses), ("severity", wanted.severities)):
        if allowed:
            parts.append(f"{column} IN ({', '.join('?' * len(allowed))})")
            values.extend(str(one) for one in allowed)
    return " AND ".join(parts), values
