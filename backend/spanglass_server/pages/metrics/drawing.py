"""From lines to what a page has of them: figures, the server's own drawing, and the data that script draws."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.metrics.choice import QUANTILES
from spanglass_server.pages.rendering import charts
from spanglass_server.pages.rendering.format import parse_time_ns
from spanglass_server.pages.rendering.units import SIZES, ceiling_of, rate_unit_parts, value_parts, value_text
from spanglass_server.pages.trends import marks
from spanglass_server.pages.window import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.pages.metrics.choice import Choice
    from spanglass_server.pages.metrics.lines import Drawn, Line
    from spanglass_server.pages.visit import Visit

#: Classes of a histogram's three quantiles; other lines take the colours of services.
QUANTILE_CSS = {"p99": "ink", "p95": "", "p50": "p50"}
SLOTS = 10
#: A change smaller than this is none.
LEAST_CHANGE = 0.01
#: Levels of a heatmap's cells.
LEVELS = 7


def parts_of(value: float | None, choice: Choice) -> tuple[str, str]:
    """Return number and unit of a drawn value."""
    return rate_unit_parts(value, choice.unit) if choice.per_s else value_parts(value, choice.unit)


def text_of(value: float | None, choice: Choice) -> str:
    """Return a drawn value as text."""
    return "\u202f".join(filter(None, parts_of(value, choice)))


def figures(drawn: Drawn, earlier: Drawn | None, choice: Choice) -> list[dict[str, Any]]:
    """Return the newest value of each line, held against the same of the earlier period: three figures at most."""
    before = {(line.name, *line.labels.items()): _typical(line) for line in earlier.lines} if earlier else {}
    found = []
    for line in drawn.lines[:3]:
        now, then = _typical(line), before.get((line.name, *line.labels.items()))
        found.append(
            {
                "name": line.name if choice.by or choice.way is QUANTILES else choice.way.label,
                "parts": parts_of(now, choice),
                "before": None if then is None else text_of(then, choice),
                "change": _change(now, then),
            }
        )
    return found


def _typical(line: Line) -> float | None:
    """Return the mean of a line's newest steps, the last one of which may have only begun."""
    known = [value for value in line.values if value is not None][-4:-1] or [v for v in line.values if v is not None]
    return sum(known) / len(known) if known else None


def _change(value: float | None, before: float | None) -> float | None:
    if value is None or not before:
        return None
    change = value / before - 1
    return change if abs(change) >= LEAST_CHANGE else 0.0


def chart(
    drawn: Drawn, earlier: Drawn | None, choice: Choice, visit: Visit, guides: Sequence[charts.Series] = ()
) -> charts.Chart:
    """Draw the lines without script; ``guides`` are where they are going."""
    layers = [
        charts.Series(line.name, _css(line, place, drawn, choice), line.values)
        for place, line in enumerate(drawn.lines)
    ]
    layers += [charts.Series(f"{line.name} before", "p", line.values) for line in compared(drawn, earlier, choice)]
    layers += guides
    return charts.lines(
        f"{choice.way.label} of {choice.metric['name']} over time",
        charts.Buckets(drawn.times, drawn.step_s),
        layers,
        visit.clock,
        lambda value: text_of(value, choice),
        ceiling_of("" if choice.per_s and choice.unit not in SIZES else choice.unit),
    )


def _css(line: Line, place: int, drawn: Drawn, choice: Choice) -> str:
    if choice.way is QUANTILES:
        return QUANTILE_CSS[line.name]
    return "" if len(drawn.lines) == 1 else f"s{place % SLOTS}"


def compared(drawn: Drawn, earlier: Drawn | None, choice: Choice) -> Sequence[Line]:
    """Return the lines of the earlier period that are drawn: of three quantiles only the 95th."""
    if earlier is None:
        return ()
    wanted = {line.name for line in drawn.lines} if choice.way is not QUANTILES else {"p95"}
    return [line for line in earlier.lines if line.name in wanted and any(value is not None for value in line.values)]


def data(
    drawn: Drawn,
    earlier: Drawn | None,
    exemplars: Sequence[Mapping[str, Any]],
    choice: Choice,
    visit: Visit,
    guides: Sequence[charts.Series] = (),
) -> str:
    """Return what ``static/js/drawn.js`` draws, as JSON."""
    look = {
        "kind": "line" if len(drawn.lines) > 1 else "area",
        "unit": choice.chart_unit,
        "label": f"{choice.way.label} of {choice.metric['name']}",
        "legend": "table" if choice.by else "list",
    }
    frame: dict[str, Any] = {
        "times": drawn.times,
        "step": drawn.step_s,
        "start": visit.window.start_ns / SECOND_NS,
        "end": visit.window.end_ns / SECOND_NS,
        "series": [
            {"name": line.name, "labels": dict(line.labels), "values": line.values, **_colour(line, choice)}
            for line in drawn.lines
        ]
        + marks.framed(guides),
    }
    if guides:  # the colour that it has alone
        frame["series"][0].setdefault("css", "accent")
    before = compared(drawn, earlier, choice)
    previous = {"series": [{"name": f"{line.name} before", "labels": {}, "values": line.values} for line in before]}
    dots = [
        {name: one[name] for name in ("value", "trace_id", "span_id")}
        | {"time": parse_time_ns(one["time"]) / SECOND_NS}
        for one in (exemplars if shows_exemplars(choice) else ())
    ]
    return json.dumps({"look": look, "frame": frame, "previous": previous, "exemplars": dots}, ensure_ascii=False)


def _colour(line: Line, choice: Choice) -> dict[str, str]:
    return {"css": {"p99": "ink", "p95": "accent", "p50": "ink-3"}[line.name]} if choice.way is QUANTILES else {}


def shows_exemplars(choice: Choice) -> bool:
    """Exemplars are single measurements: they lie on the axis of a quantile or a mean, not of a rate."""
    return choice.way.api in {"quantile", "avg", "min", "max"}


def panel(drawn: Drawn, choice: Choice) -> str:
    """Return the chart as a panel of a dashboard, as JSON; without a title."""
    several = len(choice.parts) > 1
    queries = [
        {"promql": query, **({"legend": part.label} if several else {})}
        for query, part in zip(drawn.expressions, choice.parts, strict=False)
    ]
    unit = {"unit": choice.chart_unit} if choice.chart_unit else {}
    return json.dumps({"type": "line", "queries": queries, **unit}, ensure_ascii=False)


def heat(answer: Mapping[str, Any], choice: Choice) -> dict[str, Any] | None:
    """Return a heatmap: cells for the server's drawing and data for script's; nothing without observations."""
    bounds, cells, count, step_s = answer["rows"], answer["cells"], answer["count"], answer["step_s"]
    if not bounds:
        return None
    unit, label = choice.metric["unit"], f"Distribution of {choice.metric['name']}"
    edges = bounds[-1][0] if bounds[-1][1] is None else bounds[-1][1], bounds[len(bounds) // 2][0], bounds[0][0]
    ends = [answer["start"] + (place + 1) * step_s for place in range(count)]  # a cell reaches back from its end
    frame = {"times": ends, "step": step_s, "start": answer["start"], "end": ends[-1], "bounds": bounds, "cells": cells}
    look = {"kind": "heat", "unit": unit, "label": label, "values": False}
    return {
        "marks": _cells(cells, count),
        "y_labels": [value_text(edge, unit) for edge in edges],
        "label": label,
        "data": json.dumps({"look": look, "frame": {**frame, "series": []}, "exemplars": []}),
    }


def _cells(cells: Sequence[Sequence[float | None]], count: int) -> list[dict[str, Any]]:
    most = max(value for row in cells for value in row if value)
    height, width = 100 / len(cells), 100 / count
    return [
        {"css": f"h{_level(value, most)}", "x": round(at * width, 2), "y": round(100 - (place + 1) * height, 2),
         "w": round(width, 2), "h": round(height, 2)}
        for place, row in enumerate(cells) for at, value in enumerate(row) if value
    ]  # fmt: skip


def _level(value: float, most: float) -> int:
    """Return the level of a count, 1 to 7 on a log scale, as ``charts/heat.js``."""
    return max(1, min(LEVELS, math.ceil(LEVELS * math.log1p(100 * value / most) / math.log(101))))
