"""A heatmap of durations over time as SVG geometry, with what script needs to select an area of it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.rendering.charts import ticks
from spanglass_server.pages.rendering.format import duration_text
from spanglass_server.pages.window import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.pages.visit import Visit

#: Levels of colour.
LEVELS = 7
#: Round durations in ns that are written beside the rows, from many to few: the first that have room are taken.
_DECADES = tuple(10**power for power in range(11))
_MINUTE_NS = 60 * SECOND_NS
_LONG = tuple(minutes * _MINUTE_NS for minutes in (1, 10, 60, 600))
ROUND_NS = (
    tuple(sorted({*_LONG, *(factor * decade for decade in _DECADES[:-1] for factor in (1, 2, 5)), _DECADES[-1]})),
    (*_DECADES, *_LONG),
    (*_DECADES[::3], _MINUTE_NS, 60 * _MINUTE_NS),
)
#: Durations are at least so far apart, in per cent of the height: a line of text in the lowest chart has 14.
APART = 15
#: Where the API has the cells.
PATH = ("spans", "heatmap")
#: Steps of time.
STEPS = 72
#: How high the ticks of failures at the floor are, in per cent.
FLOOR = 2.5
#: What stands for an answer that could not be had.
NOTHING: dict[str, Any] = {"rows": [], "cells": [], "errors": [], "spans": 0, "problem": None}


@dataclass(frozen=True)
class Area:
    """A part of a heatmap; None where an end is open."""

    start_ns: int | None = None
    end_ns: int | None = None
    min_ns: int | None = None
    max_ns: int | None = None


async def ask(visit: Visit, params: Mapping[str, str], *, wanted: bool = True) -> dict[str, Any]:
    """Return the API's answer, with why there is none as ``problem``; nothing unless ``wanted``."""
    if not wanted:
        return NOTHING
    return await visit.attempt(visit.api(*PATH, **params, buckets=STEPS), NOTHING)


def draw(answer: Mapping[str, Any], visit: Visit, area: Area | None = None) -> dict[str, Any] | None:
    """Return marks, labels and data of a heatmap for the template; nothing without spans."""
    rows, cells, count = answer["rows"], answer["cells"], answer["count"] if answer["rows"] else 0
    if not rows:
        return None
    step_ns = round(answer["step_s"] * SECOND_NS)
    start_ns = round(answer["start"] * SECOND_NS)
    end_ns = start_ns + count * step_ns
    bounds = [row["low_ns"] for row in rows] + [rows[-1]["high_ns"]]
    name = visit.clock.minute if step_ns >= 60 * SECOND_NS else visit.clock.second
    data = {
        "start": start_ns // 1_000_000, "step": step_ns / 1e6, "cells": cells, "bounds": bounds,
        "names": [duration_text(bound) for bound in bounds],
        "times": [name(start_ns + place * step_ns) for place in range(count + 1)],
    }  # fmt: skip
    return {
        "marks": [*_cells(cells, count), *_failures(answer["errors"], count)],
        "area": _box(area, (start_ns, end_ns), bounds) if area and area != Area() else None,
        "y_labels": _labels(bounds),
        "x_labels": ticks(start_ns, end_ns, visit.clock),
        "bars": _bars(cells),
        "label": f"Spans by start and duration, {duration_text(bounds[1])} to {duration_text(bounds[-1])}",
        "spans": answer["spans"],
        "data": json.dumps(data, ensure_ascii=False, separators=(",", ":")),
    }


def _cells(cells: Sequence[Sequence[int]], count: int) -> list[dict[str, Any]]:
    most = max(max(row) for row in cells)
    height, width = 100 / len(cells), 100 / count
    return [
        {"css": f"h{_level(value, most)}", "x": round(at * width, 3), "y": round(100 - (place + 1) * height, 3),
         "w": round(width, 3), "h": round(height, 3)}
        for place, row in enumerate(cells) for at, value in enumerate(row) if value
    ]  # fmt: skip


def _bars(cells: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
    """How many spans took so long, whenever they started: a bar a row."""
    sums = [sum(row) for row in cells]
    most, height = max(sums), 100 / len(cells)
    return [
        {"y": round(100 - (place + 0.92) * height, 3), "w": round(max(100 * total / most, 0.5), 2),
         "h": round(0.84 * height, 3), "spans": total}
        for place, total in enumerate(sums) if total
    ]  # fmt: skip


def _failures(errors: Sequence[int], count: int) -> list[dict[str, Any]]:
    """Red ticks on the floor, where spans failed."""
    width = 100 / count
    return [
        {"css": "hx", "x": round(at * width, 3), "y": 100 - FLOOR, "w": round(width * 0.7, 3), "h": FLOOR}
        for at, failed in enumerate(errors) if failed
    ]  # fmt: skip


def _level(value: float, most: float) -> int:
    """Return the level of a count, 1 to 7 on a log scale: from one span to the fullest cell."""
    return 1 + round((LEVELS - 1) * math.log(value) / math.log(most)) if most > 1 else LEVELS


def _labels(bounds: Sequence[int]) -> list[dict[str, Any]]:
    """Return round durations and their place from the top; the rows' ends where fewer than two lie among them."""
    for chosen in ROUND_NS:
        heights = [(_height(size, bounds), size) for size in chosen if bounds[1] <= size <= bounds[-1]]
        if all(after[0] - before[0] >= APART for before, after in pairwise(heights)):
            break
    if len(heights) < 2:  # noqa: PLR2004 - one duration is no scale
        heights = [(0.0, bounds[0]), (100.0, bounds[-1])]
    return [{"y": round(100 - height, 3), "text": duration_text(size) if size else "0"} for height, size in heights]


def _box(area: Area, times: tuple[int, int], bounds: Sequence[int]) -> dict[str, float] | None:
    """Return where an area lies; nothing where it is outside."""
    length = times[1] - times[0]
    left = 0.0 if area.start_ns is None else 100 * (area.start_ns - times[0]) / length
    right = 100.0 if area.end_ns is None else 100 * (area.end_ns - times[0]) / length
    low = 0.0 if area.min_ns is None else _height(area.min_ns, bounds)
    high = 100.0 if area.max_ns is None else _height(area.max_ns, bounds)
    left, right = max(0.0, left), min(100.0, right)
    if left >= right or low >= high:
        return None
    return {"x": round(left, 3), "y": round(100 - high, 3), "w": round(right - left, 3), "h": round(high - low, 3)}


def _height(duration_ns: int, bounds: Sequence[int]) -> float:
    """Return how high a duration stands: within its row by its logarithm."""
    rows = len(bounds) - 1
    for place, (low, high) in enumerate(pairwise(bounds)):
        if duration_ns < high:
            begin = math.log(max(low, 1))
            inside = (math.log(max(duration_ns, 1)) - begin) / (math.log(high) - begin) if low else 0.0
            return 100 * (place + min(1.0, max(0.0, inside))) / rows
    return 100.0
