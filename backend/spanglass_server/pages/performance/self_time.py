"""Where time goes over a range: the self time of spans as a flame graph, and as tables of operations and paths."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.explorer import search
from spanglass_server.pages.rendering import columns
from spanglass_server.pages.trace_views import flame

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

FLAME, VIEWS = "flame", ("operations", "paths")
#: From this share of errors on a frame is red, as elsewhere.
BAD = 0.05
#: Rows of the table of paths.
ROWS = 200
#: Calls above a path that a row of the table names.
NAMED = 3


async def show(visit: Visit) -> Response:
    """``/self-time``."""
    view = visit.param("view") if visit.param("view") in VIEWS else FLAME
    box, read, problem = await search.answered(visit, "spans", lambda visit: _read(visit, view))
    found, names = read or (None, [])
    return visit.page(
        "performance/self_time.html", status=problem.status if problem else 200, box=box, problem=problem, view=view,
        found=found, names=names, rows=ROWS, bad_ratio=BAD,
        unknown=await search.unknown_keys(visit, "spans", found["paths"]) if found else [],
    )  # fmt: skip


async def _read(visit: Visit, view: str) -> tuple[dict[str, Any], list[str]]:
    answer, names = await visit.together(_ask(visit), search.service_names(visit))
    return await asyncio.to_thread(_found, visit, answer, view), names


async def _ask(visit: Visit) -> dict[str, Any]:
    return await visit.api(
        "self-time", **visit.window.as_params(), filter=visit.param("filter"), service=visit.exact("service"),
        operation=visit.exact("operation"),
    )  # fmt: skip


def _found(visit: Visit, answer: Mapping[str, Any], view: str) -> dict[str, Any]:
    """The answer with what the view shows: links, and for a flame graph its frames and the script's data."""
    paths = [{**path, "target": "", **_links(visit, path)} for path in answer["paths"]]
    found = {**answer, "paths": paths, "work_ns": answer["self_time_ns"]}
    if view == FLAME:
        drawn = flame.drawn(paths, visit.param("frame"))
        return {**found, **drawn, "data": columns.as_data({"paths": paths})}
    if view == "paths":
        placed = [{**path, "above": above} for path, above in zip(paths, _above(paths), strict=True)]
        return {**found, "heaviest": sorted(placed, key=lambda path: -path["self_time_ns"])[:ROWS]}
    operations = [{**row, "href": visit.to_service(row["service"], operation=row["operation"])}
                  for row in answer["operations"]]  # fmt: skip
    return {**found, "operations": operations}


def _links(visit: Visit, path: Mapping[str, Any]) -> dict[str, str | None]:
    """Where a path leads to: its operation, and the span of it that took longest."""
    trace, span = path["longest_trace"], path["longest_span"]
    longest = visit.link(f"/traces/{trace}", {"span": span}) if trace and span else None
    return {"href": visit.to_service(path["service"], operation=path["name"] or None), "longest": longest}


def _above(paths: Iterable[Mapping[str, Any]]) -> list[list[str]]:
    """For each path the names of those above it, the nearest last; only some of many."""
    above: list[str] = []
    found = []
    for path in paths:
        del above[path["depth"] :]
        found.append(above[-NAMED:])
        above.append(path["name"])
    return found
