"""Health as the API tells it, in the form that the pages show: times in nanoseconds, links, looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from spanglass_server.pages.health import looks
from spanglass_server.pages.rendering.format import duration_text, parse_time_ns, to_datetime
from spanglass_server.pages.rendering.units import value_parts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.pages.health.looks import Bar
    from spanglass_server.pages.visit import Visit

Row = dict[str, Any]
_UCUM = {"s": "s", "bytes": "By", "ratio": "%", "/s": "/s", "": ""}
_SOURCES = {"check": "checks", "application": "its own checks", "telemetry": "telemetry", "server": "the server"}


def time_ns(text: str | None) -> int:
    """Return a time of the API, 0 for none."""
    return parse_time_ns(text) if text else 0


def to_check(uid: str) -> str:
    """Return a link to the page of a check."""
    return f"/health/checks/{quote(uid, safe='')}"


def to_component(uid: str) -> str:
    """Return a link to the page of a component."""
    return f"/health/components/{quote(uid, safe='')}"


def check(found: Mapping[str, Any]) -> Row:
    """Return a check with its times, its link and how it looks."""
    status = found["status"] if found["enabled"] else "unknown"
    return {
        **found,
        "look": looks.look(status) if found["enabled"] else looks.Look("", "pause", "Off"),
        "href": to_check(found["uid"]),
        "since_ns": time_ns(found["since_time"]),
        "last_ns": time_ns(found["last_time"]),
        "kind_text": looks.KINDS.get(found["kind"], found["kind"]),
        "took": duration_text(found["latency_ns"]) if found["latency_ns"] else "",
    }


def component(found: Mapping[str, Any]) -> Row:
    """Return a component with its times, its link, how it looks, and its figures in words."""
    return {
        **found,
        "look": looks.look(found["status"]),
        "href": to_component(found["uid"]),
        "since_ns": time_ns(found["since_time"]),
        "last_ns": time_ns(found["last_time"]),
        "took": duration_text(found["latency_ns"]) if found["latency_ns"] else "",
        "told_by": " and ".join(_SOURCES.get(one, one) for one in found["sources"]),
        "figures": [(name.replace("_", " "), _figure(one)) for name, one in found["figures"].items()],
    }


def _figure(one: Mapping[str, Any]) -> str:
    return "\u202f".join(filter(None, value_parts(one["value"], _UCUM.get(one["unit"], one["unit"]))))


def by_area(components: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """Return components below the headings of their areas, the worst first within each."""
    found = []
    for area, title in looks.AREAS.items():
        rows = [row for row in components if row["area"] == area]
        rows.sort(key=lambda row: (looks.ORDER.index(row["status"]), row["name"].lower()))
        if rows:
            found.append((title, rows))
    return found


def change(found: Mapping[str, Any]) -> Row:
    """Return a change of status with its time and looks, and where its subject is shown."""
    kind, _, uid = found["subject"].partition("/")
    return {
        **found,
        "uid": uid,
        "href": {"check": to_check, "component": to_component}.get(kind, lambda _: "/health")(uid),
        "time_ns": time_ns(found["time"]),
        "look": looks.look(found["status"]),
        "before": looks.look(found["previous"]),
    }


def days(found: Sequence[Mapping[str, Any]], visit: Visit) -> Sequence[Bar]:
    """Return the strip of days of an uptime by day."""
    bars = []
    for day in found:
        date = to_datetime(time_ns(day["start_time"]), visit.clock.zone)
        bars.append((day["uptime"], int(day["degraded_ns"]), f"{date.day} {date:%b}"))
    return looks.strip(bars)
