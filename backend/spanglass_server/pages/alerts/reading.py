"""Alerts and rules as the API tells them, in the form that the pages show: times in nanoseconds, links, words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from spanglass_server.api_questions import address
from spanglass_server.pages.alerts import words
from spanglass_server.pages.health.reading import to_check
from spanglass_server.pages.rendering.format import parse_time_ns
from spanglass_server.pages.slos import reading as slos

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.pages.visit import Visit

Row = dict[str, Any]
MONITORING = "/api/monitoring"
_CHECK_UID, _CHECK_NAME = "spanglass_health_check_uid", "spanglass_health_check_name"
#: Labels that name a service, a host or a health check of the server, which are told by their pages.
TOLD = frozenset({"service_name", "service", "service.name", "host_name", "host", "host.name", _CHECK_UID})


async def ask(visit: Visit, *path: str, **params: str | list[str] | int | None) -> Row:
    """Return the answer of a path below ``/api/monitoring``, which end in a slash; empty parameters are left out."""
    where = address(*path, "", api=MONITORING)
    given = {
        key: value if isinstance(value, list) else str(value)
        for key, value in params.items()
        if value not in (None, "", [])
    }
    return await visit.site.api(where, given)


def alert(found: Mapping[str, Any], visit: Visit, threshold: float | None = None) -> Row:
    """Return an alert with its times, its links, and what it is about; ``threshold`` is the one that it crossed."""
    labels = {**found["details"]["labels"], **found["details"]["key"]}
    row = {
        "follows": False,
        **found,
        "labels": labels,
        "created_ns": time_ns(found["created_at"]),
        "updated_ns": time_ns(found["updated_at"]),
        "acknowledged_ns": time_ns(found["acknowledged_at"]),
        "resolved_ns": time_ns(found["resolved_at"]),
        "level": words.level(found["severity"]),
        "href": visit.to_alert(found["id"]),
        "rule_href": visit.to_rule(found["rule"]) if found["rule"] else None,
        "where": [*where(found["service"], found["host"], visit), *_check(labels), *_objective(found, labels)],
        "others": [(name, value) for name, value in others(labels) if value not in found["title"]],
        "is_open": found["status"] in words.OPEN,
    }
    row["threshold_text"] = words.text(threshold, found["unit"]) if threshold is not None else ""
    return {**row, "says": words.status(row), "value_text": words.text(found["value"], found["unit"])}


def threshold_of(found: Mapping[str, Any], thresholds: Mapping[str, Mapping[str, Any]]) -> float | None:
    """Return the threshold of an alert's severity, from those of all rules by uid; None for baselines and the like."""
    value = thresholds.get(found["rule"], {}).get(f"{found['severity']}_threshold")
    return float(value) if value is not None and found["value"] is not None else None


def by_priority(alerts: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Put alerts in order: the most urgent first, of those alike the newest; those of one problem stand together.

    All of a problem but the first are told to ``follow`` it.
    """
    problems: dict[str, list[Mapping[str, Any]]] = {}
    for one in sorted(alerts, key=lambda one: (one["priority"], one["created_at"]), reverse=True):
        problems.setdefault(one["part_of"] or one["id"], []).append(one)
    return [{**one, "follows": place > 0} for members in problems.values() for place, one in enumerate(members)]


def time_ns(text: str | None) -> int:
    """Return a time of the API, 0 for none."""
    return parse_time_ns(text) if text else 0


def where(service: str | None, host: str | None, visit: Visit) -> Sequence[tuple[str, str, str]]:
    """Return the service and the host that something is about: what it is, its name, and its page."""
    found = []
    if service:
        found.append(("service", service, visit.to_service(service)))
    if host:
        found.append(("host", host, visit.go(f"/hosts/{quote(host, safe='')}")))
    return found


def _check(labels: Mapping[str, str]) -> Sequence[tuple[str, str, str]]:
    """Return the health check of the server that an alert is about, as ``where`` does."""
    uid = labels.get(_CHECK_UID)
    return [("health check", labels.get(_CHECK_NAME) or uid, to_check(uid))] if uid else []


def _objective(found: Mapping[str, Any], labels: Mapping[str, str]) -> Sequence[tuple[str, str, str]]:
    """Return the objective of whose rules an alert is, as ``where`` does."""
    uid = labels.get("slo", "")
    is_of_objective = uid and str(found["rule"] or "").startswith(f"slo-{uid}-")
    return [("objective", uid, slos.href(uid))] if is_of_objective else []


def others(labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the labels that are not told by a page of what they name."""
    return [(name, value) for name, value in sorted(labels.items()) if name not in TOLD]


def rule(found: Mapping[str, Any], visit: Visit) -> Row:
    """Return a rule with where it stands, and the words of it."""
    return {
        **found,
        "look": words.STATES[found["state"]],
        "severity_look": words.level(found["severity"]),
        "href": visit.to_rule(found["uid"]),
        "last_ns": time_ns(found["last_evaluation_time"]),
        "value_text": words.text(found["value"], found["unit"]),
        "from": words.ORIGINS.get(found["origin"], (found["origin"], "")),
        "place": place(found),
    }


def place(found: Mapping[str, Any]) -> str:
    """Return the file and the line of a rule; those that come with Spanglass stand in a file that nobody changes."""
    if found["origin"] == "shipped":
        return ""
    return ":".join(str(part) for part in (found["file"], found["line"]) if part)
