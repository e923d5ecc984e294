"""Spans that have not ended: the panel above a list of traces, and how a row says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.rendering.format import duration_text, parse_time_ns
from spanglass_server.pages.window import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.pages.rendering.format import Clock
    from spanglass_server.pages.visit import Visit

#: Spans asked for, and rows shown at once; the others open below them.
ASKED, SHOWN = 500, 3
#: Per cent of a waterfall's width that the words of a lost span need.
ROOM = 40.0
NOTHING: dict[str, Any] = {"running": 0, "lost": 0, "spans": []}


async def find(visit: Visit) -> dict[str, Any]:
    """Return the open spans of the page's range and service; a list of traces can do without."""
    if visit.param("cursor"):
        return {"problem": None, **NOTHING}
    question = visit.api("running", **visit.window.as_params(), service=visit.exact("service"), limit=ASKED)
    return await visit.attempt(question, NOTHING)


def panel(visit: Visit, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the panel's rows, one for each open span that stands below no other open one, and what is open in all."""
    spans = found["spans"]
    ids = {(span["trace_id"], span["span_id"]) for span in spans}
    tops = [span for span in spans if (span["trace_id"], span["parent_span_id"]) not in ids]
    operation = visit.exact("operation")
    rows = [{"span": span, **mark(span, visit.clock)} for span in tops if operation in ("", span["name"])]
    return {
        "rows": rows,
        "shown": SHOWN,
        "running": sum(row["span"]["state"] == "running" for row in rows),
        "lost": sum(row["span"]["state"] == "lost" for row in rows),
        "problem": found["problem"],
    }


def by_trace(found: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the first open span of each trace: what stands in for a root that has not ended."""
    first: dict[str, Mapping[str, Any]] = {}
    for span in sorted(found["spans"], key=lambda span: str(span["start_time"])):
        first.setdefault(span["trace_id"], span)
    return first


def mark(span: Mapping[str, Any], clock: Clock) -> dict[str, str]:
    """Return what a row says of its span's state, and its class; both are empty for one that has ended."""
    if span["state"] == "running":
        return {"mark": f"running {so_far(span['duration_ns'])}", "css": "run"}
    if span["state"] == "lost":
        return {"mark": f"lost, last heard {clock.second(parse_time_ns(span['last_heard_time']))}", "css": "lost"}
    return {"mark": "", "css": ""}


def beside(start: float, width: float) -> tuple[float, str] | None:
    """Return where words stand beside a bar, in per cent, and their anchor (``end``: before it); None without room."""
    if start + width <= 100 - ROOM:
        return start + width, "start"
    return (start, "end") if start >= ROOM else None


def so_far(duration_ns: int) -> str:
    """Write a duration that goes on, in whole seconds: ``14 s``."""
    return duration_text(duration_ns - duration_ns % SECOND_NS if duration_ns >= SECOND_NS else duration_ns)


def tally(counted: Mapping[str, int]) -> Sequence[tuple[str, str]]:
    """Return what a trace's title says of its open spans, as (class, text)."""
    words = (("run", "running", counted["running_count"]), ("lost", "lost", counted["lost_count"]))
    return [(css, f"{count} {word}") for css, word, count in words if count]
