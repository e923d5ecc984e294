"""Log lines that are alike, each kind once: how many, how that went, which are new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.explorer import search
from spanglass_server.pages.rendering import charts, terms
from spanglass_server.pages.rendering.format import parse_time_ns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

#: What stands for what differs, as the API writes it.
WILDCARD = "<*>"
BUCKETS = 40
LIMIT = 200


async def show(visit: Visit) -> Response:
    """``/logs?view=patterns``."""
    box, found, problem = await search.answered(visit, "logs", _find)
    return visit.page(
        "log_patterns/list.html", status=problem.status if problem else 200, box=box, problem=problem, found=found,
        unknown=await search.unknown_keys(visit, "logs", found["patterns"]) if found else [],
    )  # fmt: skip


async def _find(visit: Visit) -> dict[str, Any]:
    answer = await visit.api(
        "logs", "patterns", **visit.window.as_params(), filter=visit.param("filter"), buckets=BUCKETS, limit=LIMIT
    )
    # where nothing was stored before, everything would be new
    knows_before = any(pattern["before"] for pattern in answer["patterns"])
    rows = [_row(visit, pattern, answer["step_s"], knows_before=knows_before) for pattern in answer["patterns"]]
    return {**answer, "patterns": rows, "lines": sum(pattern["lines"] for pattern in answer["patterns"])}


def _row(visit: Visit, pattern: Mapping[str, Any], step_s: float, *, knows_before: bool) -> dict[str, Any]:
    points = pattern["points"]
    buckets = visit.buckets([point["t"] for point in points], step_s)
    is_bad = pattern["severity"] in {"error", "fatal"}
    return {
        **pattern,
        "parts": pattern["pattern"].split(WILDCARD),
        "is_new": pattern["is_new"] and knows_before,
        "spark": charts.spark(buckets.whole([point["lines"] for point in points]), bad=is_bad),
        "age_ns": max(0, visit.clock.now_ns - parse_time_ns(pattern["last_time"])),
        "first_ns": parse_time_ns(pattern["first_time"]),
        "href": visit.here(view=None, filter=terms.both(visit.param("filter"), pattern["filter"])),
    }
