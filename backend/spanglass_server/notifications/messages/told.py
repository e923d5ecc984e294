"""One alert with its evidence as templates see it: plain texts, numbers and lists, short enough for a message."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from spanglass_core.alerting.lifecycle import OPEN, Status
from spanglass_server.notifications.messages import words
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.alerting.model import Alert

#: Of each part of the evidence so many are told; the alert's page has all.
_MOST = 3
_MOST_ATTRIBUTES = 5
_MOST_TITLE, _MOST_TEXT, _MOST_DESCRIPTION = 200, 300, 2_000
_MOST_LABELS = 30
_ROLES = {"worst": "the worst", "typical": "a typical one", "newest": "the newest"}


def told(alert: Alert, base_url: str, now_ns: int) -> dict[str, Any]:
    """What is told of an alert; links begin with the address of the server's pages."""
    is_open = alert.status in OPEN
    end_ns = 0 if is_open else alert.resolved_ns
    evidence = alert.evidence
    return {
        "id": alert.id,
        "title": words.line(alert.title, _MOST_TITLE) or "An alert without a title",
        "description": words.lines(alert.description, _MOST_DESCRIPTION),
        "severity": str(alert.severity),
        "status": str(alert.status),
        "is_open": is_open,
        "is_acknowledged": alert.status == Status.ACKNOWLEDGED,
        "acknowledged_by": words.line(alert.acknowledged_by, _MOST_TITLE),
        "resolved_by": words.line("" if alert.resolved_by in {"rule", "server"} else alert.resolved_by, _MOST_TITLE),
        "value": words.value(alert.value, alert.unit),
        "number": alert.value,
        "unit": alert.unit,
        "thresholds": _thresholds(alert, evidence),
        "labels": _texts(alert.labels),
        "service": words.line(alert.labels.get("service_name", ""), _MOST_TITLE),
        "rule": words.line(alert.rule_name, _MOST_TITLE),
        "rule_uid": alert.rule_uid,
        "source": alert.source,
        "owner": words.line(alert.owner, _MOST_TITLE),
        "runbook": words.line(alert.runbook, _MOST_DESCRIPTION),
        "runbook_link": alert.runbook if _is_link(alert.runbook) else "",
        "count": alert.count,
        "priority": alert.priority,
        "link": f"{base_url}/alerts/{quote(alert.id, safe='')}",
        "started": words.moment(alert.created_ns),
        "ended": words.moment(end_ns) if end_ns else "",
        "duration": words.duration(max(0, (end_ns or now_ns) - alert.created_ns) // NS_PER_SECOND * NS_PER_SECOND),
        "evidence": _evidence(evidence, base_url) if evidence else {},
    }


def _is_link(text: str) -> bool:
    return text.startswith(("https://", "http://")) and not any(letter.isspace() or letter in '"<>' for letter in text)


def _texts(labels: Mapping[str, str]) -> dict[str, str]:
    return {
        words.line(name, _MOST_TITLE): words.line(value, _MOST_TEXT)
        for name, value in sorted(labels.items())[:_MOST_LABELS]
    }


def _thresholds(alert: Alert, evidence: Mapping[str, Any]) -> list[dict[str, str]]:
    found = evidence.get("value", {})
    unit = str(found.get("unit", alert.unit))
    return [
        {"severity": str(one["severity"]), "value": words.value(one["value"], unit)}
        for one in found.get("thresholds", ())
    ]


def _evidence(evidence: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    """The parts; one of which nothing is known is an empty list or text."""
    return {
        "cause": words.line(str(evidence.get("cause", "")), 2 * _MOST_TEXT),
        "clues": [words.line(str(clue), _MOST_TEXT) for clue in evidence.get("clues", ())[:_MOST]],
        "attributes": [_attribute(one) for one in _of(evidence.get("attributes"), "attributes", _MOST_ATTRIBUTES)],
        "traces": [_trace(one, base_url) for one in evidence.get("examples", ())[:_MOST]],
        "errors": [_error(one, base_url) for one in evidence.get("issues", ())[:_MOST]],
        "changes": [_change(one) for one in evidence.get("changes", ())[:_MOST]],
        "logs": [_log(one) for one in evidence.get("logs", ())[:_MOST]],
        "similar": [_similar(one, base_url) for one in evidence.get("similar", ())[:_MOST]],
        "search_link": _search(evidence.get("about", {}), base_url),
    }


def _of(part: Any, name: str, most: int) -> Sequence[Mapping[str, Any]]:
    return list(part[name][:most]) if part else []


def _attribute(one: Mapping[str, Any]) -> dict[str, str]:
    return {
        "key": words.line(str(one["key"]), _MOST_TITLE),
        "value": words.line(str(one["value"]), _MOST_TITLE),
        "share": words.value(one["share"], "ratio"),
        "other_share": words.value(one["other_share"], "ratio"),
    }


def _trace(one: Mapping[str, Any], base_url: str) -> dict[str, str]:
    return {
        "role": _ROLES.get(str(one["role"]), str(one["role"])),
        "name": words.line(" ".join(filter(None, (one["service"], one["operation"]))), _MOST_TITLE),
        "reason": words.line(str(one["reason"]), _MOST_TEXT),
        "duration": words.value(one["duration_ns"] / NS_PER_SECOND, "s"),
        "link": f"{base_url}/traces/{quote(one['trace_id'], safe='')}?span={quote(one['span_id'], safe='')}",
    }


def _error(one: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    title, message = words.line(str(one["title"]), _MOST_TITLE), words.line(str(one["message"]), _MOST_TEXT)
    return {
        "id": str(one["issue"]),
        "title": title,
        "message": "" if message in title else message,  # most titles of issues end with it
        "culprit": words.line(str(one["culprit"]), _MOST_TITLE),
        "events": int(one["events"]),
        "is_new": bool(one["is_new"]),
        "link": f"{base_url}/issues/{quote(str(one['issue']), safe='')}",
    }


def _change(one: Mapping[str, Any]) -> dict[str, str]:
    seconds = float(one["seconds_before"])
    when = f"{words.duration(int(seconds) * NS_PER_SECOND)} before" if seconds >= 0 else "after it began"
    return {"text": words.line(str(one["text"]), _MOST_TEXT), "when": when}


def _log(one: Mapping[str, Any]) -> dict[str, str]:
    body = words.line(str(one["body"]), _MOST_TEXT)
    return {"severity": str(one["severity"]), "service": words.line(str(one["service"]), _MOST_TITLE), "body": body}


def _similar(one: Mapping[str, Any], base_url: str) -> dict[str, str]:
    lasted_ns = one.get("duration_ns")
    by = str(one.get("resolved_by") or "")
    return {
        "title": words.line(str(one["title"]), _MOST_TITLE),
        "status": str(one["status"]),
        "started": words.moment(_time_ns(str(one["created_time"]))),
        "lasted": words.duration(int(lasted_ns)) if lasted_ns else "",
        "by": "" if by in {"rule", "server"} else words.line(by, _MOST_TITLE),
        "reason": words.line(str(one.get("reason") or ""), _MOST_TEXT),
        "link": f"{base_url}/alerts/{quote(str(one['alert']), safe='')}",
    }


def _time_ns(text: str) -> int:
    """Nanoseconds of a time as evidence has it, to the second."""
    return int(datetime.fromisoformat(f"{text[:19]}+00:00").timestamp()) * NS_PER_SECOND


def _search(about: Mapping[str, Any], base_url: str) -> str:
    """The page of all bad records of that time."""
    if not about:
        return ""
    terms = [part for part in (about["filter"], about["bad"]) if part]
    text = terms[0] if len(terms) == 1 else " and ".join(f"({part})" for part in terms)
    window = about["window"]
    query = urlencode({"start": window["start_time"], "end": window["end_time"], "filter": text}, quote_via=quote)
    return f"{base_url}/{'logs' if about['signal'] == 'logs' else 'traces'}?{query}"
