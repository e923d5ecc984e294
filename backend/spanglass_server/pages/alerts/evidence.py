"""What is known about why an alert fired, in the parts that its page shows; one that is missing says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.alerts import drawing, reading, words
from spanglass_server.pages.rendering.format import THIN, duration_text, percent_parts
from spanglass_server.pages.window import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_server.pages.visit import Visit

Part = dict[str, Any]
#: What the page shows, and the part of the evidence that it is made of.
PARTS = {"course": "value", "traces": "examples", "errors": "issues", "changes": "changes", "similar": "similar",
         "apart": "attributes"}  # fmt: skip
#: Values that set the bad ones apart, and logs, that are shown.
MOST_APART, MOST_LOGS = 10, 5
ROLES = {"worst": "the worst", "typical": "a typical one", "newest": "the newest"}
ENDED = {"active": "Still open", "acknowledged": "Still open", "resolved": "Resolved", "dismissed": "Dismissed"}
#: A change after the condition began to hold is told so.
AFTER = "after it began"


def read(alert: Mapping[str, Any], visit: Visit) -> dict[str, Any]:
    """Return the parts by name, each with ``rows`` or ``drawing``, and ``problem`` where it is missing."""
    evidence = alert["evidence"]
    left_out = {one["part"]: one["reason"] for one in evidence.get("left_out", ())}
    read_part: Mapping[str, Callable[[Any, Mapping[str, Any], Visit], Part]]
    read_part = {"course": _course, "traces": _traces, "errors": _errors, "changes": _changes, "similar": _similar,
                 "apart": _apart}  # fmt: skip
    parts: dict[str, Any] = {"cause": _cause(evidence), "figures": _figures(evidence), "logs": _logs(evidence)}
    parts["processes"] = evidence.get("processes", ())
    for name, source in PARTS.items():
        found = evidence.get(source)
        part: Part = {
            "rows": [],
            "drawing": None,
            "says": "",
            "href": None,
            "problem": _why(alert, left_out.get(source)),
        }
        parts[name] = part | (read_part[name](found, alert, visit) if found else {})
    return parts


def _why(alert: Mapping[str, Any], reason: str | None) -> str:
    """Return why a part is missing; nothing where there was nothing to find."""
    if reason:
        return f"Not found out: {reason.rstrip('.')}."
    if alert["evidence"]:
        return ""
    if not alert["rule"]:
        return "Evidence is gathered for alerts that a rule raised."
    return "Evidence is being gathered, or could not be: it comes within seconds after an alert fires."


def _cause(evidence: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the probable cause, or the clues by themselves where there is none."""
    if evidence.get("cause"):
        return {"title": "Probable cause:", "text": evidence["cause"]}
    clues = evidence.get("clues") or ()
    return {"title": "What is known:", "text": " ".join(clues)} if clues else None


def _course(found: Mapping[str, Any], alert: Mapping[str, Any], visit: Visit) -> Part:
    """Draw the value until it fired, with the time that it has fired since."""
    times = found["times_s"]
    if not times or alert["evidence"]["about"]["topic"] == "issue":  # that an issue is new has no course
        return {}
    start_ns, last_ns = (int(time * SECOND_NS) for time in (times[0], times[-1]))
    margin_ns = max(alert["created_ns"] - start_ns, 0) // 6
    end_ns = max(last_ns, min(alert["resolved_ns"] or visit.clock.now_ns, alert["created_ns"] + margin_ns))
    fired = drawing.Band(alert["created_ns"], alert["resolved_ns"] or end_ns, alert["severity"], "fires")
    series = [{"labels": {}, **{name: found[name] for name in ("times_s", "values", "bounds")}}]
    course = drawing.Course(
        alert["rule_name"] or alert["title"], found["unit"], series, found["thresholds"], [fired], start_ns, end_ns
    )
    return {"drawing": drawing.draw(course, visit), "says": f"from {visit.clock.minute(start_ns)} until it fired"}


def _traces(found: Sequence[Mapping[str, Any]], alert: Mapping[str, Any], visit: Visit) -> Part:
    about = alert["evidence"]["about"]
    rows = [
        {
            "href": f"/traces/{one['trace_id']}?span={one['span_id']}",
            "name": f"{one['service']}: {one['operation']}" if one["service"] != about["service"] else one["operation"],
            "says": ", ".join(filter(None, (ROLES[one["role"]], one["reason"]))),
            "time_ns": reading.time_ns(one["time"]),
            "duration_ns": one["duration_ns"],
            "is_error": one["failure"] is not None,
        }
        for one in found
    ]
    return {"rows": rows, "href": _search(about, visit)}


def _search(about: Mapping[str, Any], visit: Visit) -> str:
    """Return a link to all bad records of that time."""
    both = [part for part in (about["filter"], about["bad"]) if part]
    text = both[0] if len(both) == 1 else " and ".join(f"({part})" for part in both)
    window = about["window"]
    path = "/logs" if about["signal"] == "logs" else "/traces"
    return visit.link(path, {"start": window["start_time"], "end": window["end_time"], "filter": text})


def _errors(found: Sequence[Mapping[str, Any]], alert: Mapping[str, Any], visit: Visit) -> Part:
    del alert
    rows = [
        {
            "href": visit.to_issue(one["issue"]),
            "issue": one["issue"],
            "title": one["title"],
            "text": one["message"],
            "events": one["events"],
            "share": THIN.join(percent_parts(one["share"])) if one["share"] else "",
            "is_new": one["is_new"],
            "state": one["state"],
            "culprit": one["culprit"],
        }
        for one in found
    ]
    return {"rows": rows}


def _changes(found: Sequence[Mapping[str, Any]], alert: Mapping[str, Any], visit: Visit) -> Part:
    del alert
    rows = []
    for one in found:
        seconds = one["seconds_before"]
        when = f"{duration_text(seconds * 1e9)} before" if seconds >= 0 else AFTER
        href = visit.to_service(one["service"]) if one["service"] else None
        if one["kind"] == "release":
            href = visit.link("/releases", {"service": one["service"], "release": one["value"]})
        rows.append({"text": one["text"], "href": href, "time_ns": reading.time_ns(one["time"]), "when": when})
    return {"rows": rows}


def _similar(found: Sequence[Mapping[str, Any]], alert: Mapping[str, Any], visit: Visit) -> Part:
    del alert
    rows = []
    for one in found:
        who = f" by {one['resolved_by']}" if one["resolved_by"] not in words.BY_ITSELF else ""
        rows.append(
            {
                "href": visit.to_alert(one["alert"]),
                "title": one["title"],
                "created_ns": reading.time_ns(one["created_time"]),
                "lasted": duration_text(one["duration_ns"]) if one["duration_ns"] is not None else "goes on",
                "ended": ENDED[one["status"]] + (who if one["resolved_time"] else ""),
                "reason": one["reason"],
                "same": one["same"],
            }
        )
    return {"rows": rows}


def _apart(found: Mapping[str, Any], alert: Mapping[str, Any], visit: Visit) -> Part:
    about = alert["evidence"]["about"]
    path = "/logs" if about["signal"] == "logs" else "/traces"
    window = about["window"]
    kept = {"start": window["start_time"], "end": window["end_time"]}
    rows = [{**one, "href": visit.near(path, kept, one["key"], one["value"])} for one in found["attributes"]]
    return {"rows": rows[:MOST_APART], "bad": f"{found['bad']} bad", "good": f"{found['others']} others"}


def _figures(evidence: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return requests now and before, with operations that changed most."""
    found = evidence.get("figures")
    if not found or not (found["now"]["spans"] or found["before"]["spans"]):
        return None
    return {**{name: _figure(found[name]) for name in ("now", "before")},
            "operations": [{**one, **{name: _figure(one[name]) for name in ("now", "before")}}
                           for one in found["operations"][:5]]}  # fmt: skip


def _figure(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, "ratio": one["errors"] / one["spans"] if one["spans"] else None}


def _logs(evidence: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{**one, "time_ns": reading.time_ns(one["time"])} for one in evidence.get("logs", ())[:MOST_LOGS]]
