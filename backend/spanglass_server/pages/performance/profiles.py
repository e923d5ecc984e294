"""Which functions threads were in: stacks of a profiler as a flame graph, and as tables of functions and operations."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.explorer import search
from spanglass_server.pages.rendering import columns
from spanglass_server.pages.trace_views import flame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

FLAME, VIEWS = "flame", ("functions", "operations")
#: What is measured: the parameter's value, and what the reader sees.
MEASURES = (("wall", "all time"), ("cpu", "time on a processor"))
#: Names of parameters that say whose stacks are shown.
ASKED = ("service", "operation", "trace_id", "span_id")


async def show(visit: Visit) -> Response:
    """``/profiles``."""
    view = visit.param("view") if visit.param("view") in VIEWS else FLAME
    box, read, problem = await search.answered(visit, "logs", lambda visit: _read(visit, view))
    found, names = read or (None, [])
    return visit.page(
        "performance/profiles.html", status=problem.status if problem else 200, box=box, problem=problem, view=view,
        found=found, names=names, measures=MEASURES,
    )  # fmt: skip


async def _read(visit: Visit, view: str) -> tuple[dict[str, Any], list[str]]:
    """What the view shows, and the services of the range: asked for only where something narrows the answer."""
    asked = {"filter": visit.param("filter"), **{name: visit.exact(name) for name in ASKED}}
    question = visit.api("profiles", **visit.window.as_params(), measure=visit.param("measure"), **asked)
    if any(asked.values()):
        answer, whole = await visit.together(question, visit.api("profiles", **visit.window.as_params(), limit=1))
    else:
        answer = whole = await question
    names = sorted({row["service"] for row in whole["operations"]}, key=str.lower)
    return await asyncio.to_thread(_found, visit, answer, view), names


def _found(visit: Visit, answer: Mapping[str, Any], view: str) -> dict[str, Any]:
    """The answer with what the view shows."""
    whole_ns = answer["cpu_ns"] or 0 if answer["measure"] == "cpu" else answer["wall_ns"]
    found = {**answer, "whole_ns": whole_ns}
    if view == "operations":
        rows = [{**row, "href": _narrowed(visit, row)} for row in answer["operations"]]
        return {**found, "operations": rows}
    if view == "functions":
        return found
    paths = [_path(frame) for frame in answer["frames"]]
    return {**found, "paths": paths, **flame.drawn(paths, visit.param("frame")),
            "data": columns.as_data({"paths": paths})}  # fmt: skip


def _path(frame: Mapping[str, Any]) -> dict[str, Any]:
    """A frame as flame graphs draw paths."""
    return {
        "depth": frame["depth"],
        "service": frame["module"],
        "slot": frame["slot"],
        "name": frame["function"],
        "target": "",
        "spans": frame["samples"],
        "errors": 0,
        "self_time_ns": frame["self_ns"],
        "work_ns": frame["total_ns"],
        "place": f"{frame['file']}:{frame['line']}" if frame["file"] else "",
    }


def _narrowed(visit: Visit, row: Mapping[str, Any]) -> str:
    return visit.here(service=row["service"], operation=row["operation"], view=None, frame=None)
