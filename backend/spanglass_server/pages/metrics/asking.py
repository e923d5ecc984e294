"""The lines of a metric's chart, from the API: those of its range, and of the earlier period it is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.metrics.expression import expressions
from spanglass_server.pages.metrics.lines import MOST_LINES, Drawn, Line, grid
from spanglass_server.pages.metrics.prometheus import ask_expressions
from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.rendering.format import plain
from spanglass_server.pages.rendering.units import is_number
from spanglass_server.pages.window import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.pages.metrics.choice import Choice
    from spanglass_server.pages.metrics.lines import Values
    from spanglass_server.pages.visit import Visit

#: Why a filter cannot narrow series that PromQL draws.
NOT_IN_PROMQL = "series of Prometheus are narrowed by comparisons with =, !=, ~, !~ and in, joined by and"


async def ask(visit: Visit, choice: Choice, earlier_ns: int = 0) -> Drawn:
    """Ask for the lines of a chart, ``earlier_ns`` before the page's range but placed in it.

    PromQL draws them. A filter that it cannot say is left to ``/metrics/query``, and so is what it cannot answer; but
    series that Prometheus sent are histograms to PromQL alone.
    """
    queries = expressions(choice, grid(visit)[1] / SECOND_NS)
    if queries is None and choice.metric["is_flat"]:
        raise ApiError(400, {"code": "bad_filter", "message": NOT_IN_PROMQL, "field": "filter"})
    if queries is not None:
        named = [(query, part.label) for query, part in zip(queries, choice.parts, strict=True)]
        try:
            return await ask_expressions(visit, named, earlier_ns, MOST_LINES)
        except ApiError:
            if choice.metric["is_flat"]:
                raise
    return await _ask_metrics(visit, choice, earlier_ns)


async def _ask_metrics(visit: Visit, choice: Choice, earlier_ns: int) -> Drawn:
    first_ns, step_ns, count = grid(visit)
    window = {
        "start": str(max(0, visit.window.start_ns - earlier_ns)),
        "end": str(max(1, visit.window.end_ns - earlier_ns)),
    }
    answers = await visit.together(*(
        visit.api(
            "metrics", "query", **window, **_identity(choice), aggregate=part.api,
            q=None if part.q is None else str(part.q), by=",".join(choice.by), filter=choice.filter,
            step=f"{step_ns // SECOND_NS}s", limit=MOST_LINES,
        )
        for part in choice.parts
    ))  # fmt: skip
    lines = [
        Line(name_of(series["by"], part.label), _labels(series["by"]), _placed(series, earlier_ns, grid(visit)))
        for part, answer in zip(choice.parts, answers, strict=True)
        for series in answer["series"]
    ]
    notes = dict.fromkeys(note for answer in answers for note in answer["notes"])
    return Drawn(lines, first_ns / SECOND_NS, step_ns / SECOND_NS, count, tuple(notes))


def _identity(choice: Choice) -> dict[str, str]:
    metric = choice.metric
    counted = f"{metric['name']}_count"
    name = counted if counted in metric["parts"] else metric["name"]
    return {"name": name, "type": metric["type"], "unit": metric["unit"]}


def _labels(by: Mapping[str, Any]) -> dict[str, str]:
    return {key: "" if value is None else plain(value) for key, value in by.items()}


def name_of(by: Mapping[str, Any], otherwise: str) -> str:
    """Return the name of a line: the values that it is grouped by."""
    return " · ".join(value or "(none)" for value in _labels(by).values()) or otherwise


def _placed(series: Mapping[str, Any], earlier_ns: int, steps: tuple[int, int, int]) -> Values:
    first_ns, step_ns, count = steps
    values: Values = [None] * count
    for point in series["points"]:
        place = round((point["t"] * SECOND_NS + earlier_ns - first_ns) / step_ns)
        if 0 <= place < count and is_number(point["value"]):
            values[place] = point["value"]
    return values
