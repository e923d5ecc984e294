"""The waterfall's rows for a page without script, and which traces a sentence about their time is worth.

``static/js/waterfall.js`` draws the same rows with folding, the critical path and thousands of spans.
"""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.explorer.running import beside, mark
from spanglass_server.pages.rendering.format import duration_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from spanglass_server.pages.rendering.columns import Spans
    from spanglass_server.pages.rendering.format import Clock

MOST_SEGMENTS = 60
MOST_DEPTH = 24
#: The page of a trace names a reason from so many spans and so much time on.
LEAST_SPANS, LEAST_NS = 5, 10_000_000
AXIS_STEPS = (1, 2, 5)
MOST_AXIS_LABELS = 5
#: Per cent of an axis that a character of a label takes: 6 px of the 360 px of the narrowest pane.
CHARACTER = 1.7
#: Steps above 20 s are those of a clock: 50 s would give labels such as 1 min 40 s.
DECIMAL_NS, DAY_NS = 20e9, 86_400e9
CLOCK_STEPS_S = (30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)


def rows(trace: Mapping[str, Any], most: int, clock: Clock) -> list[dict[str, Any]]:
    """Return the first ``most`` spans with what a row shows; positions and widths in per cent of the trace."""
    total_ns = trace["duration_ns"] or 1
    slots = {service["service"]: service["slot"] for service in trace["services"]}
    children = _children(trace["spans"], most)
    services = trace["spans"].column("service")
    return [
        {
            "span": span,
            **mark(span, clock),
            "beside": beside(_percent(span["offset_ns"], total_ns), _percent(span["duration_ns"], total_ns)),
            "slot": slots.get(span["service"], 0),
            "depth": min(span["depth"], MOST_DEPTH),
            "new_service": parent < 0 or services[parent] != span["service"],
            "x": _percent(span["offset_ns"], total_ns),
            "w": max(0.12, _percent(span["duration_ns"], total_ns)),
            "parts": [(_percent(start, total_ns), max(0.1, _percent(end - start, total_ns)))
                      for start, end in islice(self_segments(span, children.get(row, ())), MOST_SEGMENTS)],
        }
        for row, (span, parent) in enumerate(zip(trace["spans"][:most], trace["spans"].parents, strict=False))
    ]  # fmt: skip


def self_segments(span: Mapping[str, Any], children: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, int]]:
    """Return the parts of a span, in nanoseconds since the trace's start, in which no child ran that it waits for."""
    at, end = span["offset_ns"], span["offset_ns"] + span["duration_ns"]
    for child in sorted((child for child in children if child["awaited"]), key=lambda child: child["offset_ns"]):
        start = min(child["offset_ns"], end)
        if start > at:
            yield at, start
        at = max(at, child["offset_ns"] + child["duration_ns"])
    if at < end:
        yield at, end


def axis(duration_ns: int) -> list[dict[str, Any]]:
    """Labels of the time axis: round times from zero, and the end; none that would run into another."""
    step = next_step(duration_ns / MOST_AXIS_LABELS) if duration_ns else 0
    end = duration_text(duration_ns)
    labels: list[dict[str, Any]] = [{"x": 0.0, "text": "0"}]
    at = step
    while step and at < duration_ns:
        x, text = 100 * at / duration_ns, duration_text(at)
        if x + _room(text) > 100 - _room(end):
            break
        labels.append({"x": round(x, 2), "text": text})
        at += step
    return [*labels, {"x": 100.0, "text": end}]


def _room(text: str) -> float:
    """Return the per cent of the axis that a label needs, with a blank beside it."""
    return (len(text) + 1) * CHARACTER


def next_step(least_ns: float) -> float:
    """Return the next step that reads well: 1, 2 or 5 times a power of ten, from half a minute on parts of a clock."""
    if least_ns > DECIMAL_NS:
        return next(
            (step * 1e9 for step in CLOCK_STEPS_S if step * 1e9 >= least_ns), math.ceil(least_ns / DAY_NS) * DAY_NS
        )
    power = 1.0
    while power * AXIS_STEPS[-1] < least_ns:
        power *= 10
    return next((step * power for step in AXIS_STEPS if step * power >= least_ns), power * 10)


def is_worth_an_answer(trace: Mapping[str, Any]) -> bool:
    """Whether a reader may ask where the time of a trace went: not of a few spans, of a moment, or beside a failure."""
    return not trace["failure"] and trace["span_count"] >= LEAST_SPANS and trace["duration_ns"] >= LEAST_NS


def _children(spans: Spans, most: int) -> dict[int, list[Mapping[str, Any]]]:
    """Return what is needed of the children of the first ``most`` spans, by the row of their parent."""
    children: dict[int, list[Mapping[str, Any]]] = {}
    fields = (spans.column(name) for name in ("offset_ns", "duration_ns", "awaited"))
    for parent, offset_ns, duration_ns, awaited in zip(spans.parents, *fields, strict=True):
        if 0 <= parent < most:
            child = {"offset_ns": offset_ns, "duration_ns": duration_ns, "awaited": awaited}
            children.setdefault(parent, []).append(child)
    return children


def _percent(part_ns: float, total_ns: float) -> float:
    return round(100 * part_ns / total_ns, 3)
