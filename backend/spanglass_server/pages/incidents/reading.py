"""Incidents as the API tells them, in the form that the pages show: times in nanoseconds, links, words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from spanglass_server.pages.alerts import words as alert_words
from spanglass_server.pages.alerts.reading import time_ns
from spanglass_server.pages.incidents import words
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.pages.visit import Visit

Row = dict[str, Any]
_TIMES = ("started", "opened", "updated", "acknowledged", "recovered", "resolved", "overdue")
#: Alerts that are drawn over time; the table has the rest.
MOST_BARS = 30
#: Lines of a timeline that are told of as one are so near to one another.
_AT_ONCE_NS = 2 * NS_PER_SECOND


def incident(found: Mapping[str, Any], visit: Visit) -> Row:
    """Return an incident with its times, its links, and how long it has been going on or took."""
    times = {f"{name}_ns": time_ns(found[f"{name}_at"]) for name in _TIMES}
    end_ns = times["recovered_ns"] or times["resolved_ns"] or visit.clock.now_ns
    return {
        **found,
        **times,
        "level": alert_words.level(found["severity"]),
        "look": words.STATUSES[found["status"]],
        "says": words.status(found),
        "href": to_incident(found["id"]),
        "about": [("service", name, visit.to_service(name)) for name in found["services"]]
        + [("host", name, visit.go(f"/hosts/{quote(name, safe='')}")) for name in found["hosts"]],
        "is_live": found["status"] in words.LIVE,
        "lasted": words.seconds(max(end_ns - times["started_ns"], 0) / 1e9),
    }


def to_incident(incident_id: str, *more: str) -> str:
    """Return the address of an incident's page, or of one below it."""
    return "/".join(("/incidents", quote(incident_id, safe=""), *more))


def alert(found: Mapping[str, Any], visit: Visit) -> Row:
    """Return an alert of an incident."""
    return {
        **found,
        "created_ns": time_ns(found["created_at"]),
        "ended_ns": time_ns(found["ended_at"]),
        "level": alert_words.level(found["severity"]),
        "href": visit.to_alert(found["id"]),
        "is_open": found["status"] in alert_words.OPEN,
    }


def bars(row: Mapping[str, Any], alerts: Sequence[Mapping[str, Any]], now_ns: int) -> Sequence[Row]:
    """Return the alerts as bars over the time of the incident, in percent of it."""
    start_ns = min([row["started_ns"], *(one["created_ns"] for one in alerts)])
    end_ns = max(
        [row["recovered_ns"] or row["resolved_ns"] or now_ns, *(one["ended_ns"] for one in alerts), start_ns + 1]
    )
    found = []
    for one in alerts[:MOST_BARS]:
        begin = 100 * (one["created_ns"] - start_ns) / (end_ns - start_ns)
        until = 100 * ((one["ended_ns"] or end_ns) - start_ns) / (end_ns - start_ns)
        found.append({**one, "x": round(begin, 2), "w": round(max(until - begin, 0.5), 2)})
    return found


def line(found: Mapping[str, Any], titles: Mapping[str, tuple[str, str]]) -> Row:
    """Return a line of the timeline; ``titles`` are titles and pages of alerts by their id."""
    title, href = titles.get(found["alert"] or "", ("", ""))
    return {
        **found,
        "time_ns": time_ns(found["time"]),
        "says": words.entry(found),
        "who": "" if found["by"] in alert_words.BY_ITSELF else found["by"],
        "title": title,
        "href": href,
        "is_told": found["kind"] in words.TOLD and bool(found["text"]),
        "icon": words.ICONS.get(found["kind"], ""),
        "is_alert": found["kind"].startswith("alert.") or found["kind"] in {"joined", "left"},
    }


def folded(lines: Sequence[Row]) -> list[Row]:
    """Return lines of alerts that say the same within two seconds as one, with how many ``more`` alerts it is about.

    A group of alerts that is told over a channel is a line in the history of each of them.
    """
    found: list[Row] = []
    told: set[str] = set()
    for one in lines:
        last = found[-1] if found else None
        if last and one["is_alert"] and one["time_ns"] - last["time_ns"] <= _AT_ONCE_NS and _alike(last, one):
            told.add(one["title"])
            found[-1] = {**last, "more": len(told) - 1}
        else:
            found.append({**one, "more": 0})
            told = {one["title"]}
    return found


def _alike(one: Row, other: Row) -> bool:
    return all(one[name] == other[name] for name in ("kind", "text", "who"))
