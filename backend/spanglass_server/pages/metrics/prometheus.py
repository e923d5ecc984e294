"""Asking Prometheus' API, as pages do: the lines of an expression over the steps of a page's charts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.metrics.lines import MOST_LINES, Drawn, Line, grid
from spanglass_server.pages.window import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.pages.visit import Visit

PREFIX = "/prometheus/api/v1"
NAME = "__name__"


async def ask_expressions(
    visit: Visit, expressions: Sequence[tuple[str, str]], earlier_ns: int = 0, most: int = MOST_LINES
) -> Drawn:
    """Ask for the lines of expressions, each with the name of its line; ``earlier_ns`` as in ``asking.ask``.

    Of many lines the largest are kept, and a note says so.
    """
    first_ns, step_ns, count = grid(visit)
    start_s = (first_ns - earlier_ns) / SECOND_NS
    params = {"start": f"{start_s:.3f}", "end": f"{start_s + (count - 1) * step_ns / SECOND_NS:.3f}",
              "step": f"{step_ns / SECOND_NS:g}"}  # fmt: skip
    answers = await visit.together(
        *(visit.site.api(f"{PREFIX}/query_range", {**params, "query": query}) for query, _ in expressions)
    )
    lines: list[Line] = []
    notes: list[str] = []
    for (_, name), answer in zip(expressions, answers, strict=True):
        notes += [*answer.get("warnings", ()), *answer.get("infos", ())]
        lines += _lines(answer["data"]["result"], name, start_s, step_ns / SECOND_NS, count)
    if len(lines) > most:
        notes.append(f"the {most} largest of {len(lines)} lines are drawn")
        lines = sorted(lines, key=_size, reverse=True)[:most]
    return Drawn(
        lines,
        first_ns / SECOND_NS,
        step_ns / SECOND_NS,
        count,
        tuple(dict.fromkeys(notes)),
        [query for query, _ in expressions],
    )


def _lines(result: Sequence[Mapping[str, Any]], name: str, start_s: float, step_s: float, count: int) -> list[Line]:
    """Read a matrix; its largest line is the first, as it has no order of its own."""
    telling = _telling([row["metric"] for row in result])
    lines = [
        Line(_name(row["metric"], telling, name), row["metric"], _placed(row.get("values", ()), start_s, step_s, count))
        for row in result
    ]
    return sorted(lines, key=_size, reverse=True)


def _telling(labels: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the labels in which series differ; all of a single one."""
    keys = list(dict.fromkeys(key for each in labels for key in each))
    return [key for key in keys if len({each.get(key) for each in labels}) > 1] or (keys if len(labels) == 1 else [])


def _name(labels: Mapping[str, str], telling: Sequence[str], otherwise: str) -> str:
    return " · ".join(labels.get(key) or "(none)" for key in telling if key != NAME) or labels.get(NAME) or otherwise


def _placed(values: Sequence[tuple[float, str]], start_s: float, step_s: float, count: int) -> list[float | None]:
    placed: list[float | None] = [None] * count
    for time, text in values:
        place, value = round((time - start_s) / step_s), float(text)
        if 0 <= place < count and math.isfinite(value):
            placed[place] = value
    return placed


def _size(line: Line) -> float:
    return sum(abs(value) for value in line.values if value is not None)


async def ask_now(visit: Visit, query: str) -> tuple[list[dict[str, Any]], str]:
    """Return the values of an expression at the end of the page's range, and the type of the result."""
    at = min(visit.window.end_ns, visit.clock.now_ns) / SECOND_NS
    answer = await visit.site.api(f"{PREFIX}/query", {"query": query, "time": f"{at:.3f}"})
    data = answer["data"]
    if data["resultType"] in {"scalar", "string"}:
        return [{"metric": {}, "value": data["result"]}], data["resultType"]
    return list(data["result"]), data["resultType"]
