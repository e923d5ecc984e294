"""How what a histogram observed is distributed over time: the cells of a heatmap."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.metrics.buckets import finite
from spanglass_server.query.metrics.histograms import explicit_rows, exponential_rows
from spanglass_server.query.metrics.identity import Kind
from spanglass_server.query.metrics.points import Selection
from spanglass_server.query.metrics.question import Notes
from spanglass_server.query.window import bucket_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from spanglass_server.query.metrics.question import Question
    from spanglass_server.store.ports import QuerySession

    Floats = NDArray[np.float64]

#: More rows than this cannot be told apart: finer buckets are put together.
MOST_ROWS = 40
#: Less of an observation than this is floating point's rest.
_NOTHING = 1e-6


class Heatmap(TypedDict):
    """The answer of ``GET /api/v1/metrics/heatmap``.

    ``rows`` are the bounds of each row from below, the highest of which may have no upper one; ``cells`` has for each
    row how much was observed in each step, null for nothing. ``notes`` say what is left out.
    """

    start: float
    step_s: float
    count: int
    rows: list[list[float | None]]
    cells: list[list[float | None]]
    notes: list[str]


def heatmap(session: QuerySession, question: Question) -> Heatmap:
    """Answer ``GET /api/v1/metrics/heatmap``; ``BadQuestionError`` for what is no histogram."""
    selection = Selection.of(session, question)
    kind, notes = selection.metric.kind, Notes()
    if kind not in (Kind.HISTOGRAM, Kind.EXPONENTIAL):
        raise BadQuestionError(
            f"The metric {question.name!r} ({kind.replace('_', ' ')}) has no distribution.",
            field="name",
            hint="Ask for a histogram, or for /metrics/query.",
        )
    read = _explicit if kind is Kind.HISTOGRAM else _exponential
    steps, lows, highs, counts = read(selection, notes)
    buckets = selection.buckets
    places = ((steps - buckets.first_ns) // buckets.step_ns).astype(np.int64)
    inside = (counts > _NOTHING) & (places >= 0) & (places < buckets.count)
    rows, cells = _cells(places[inside], lows[inside], highs[inside], counts[inside], buckets.count)
    return {
        "start": bucket_seconds(buckets.first_ns),
        "step_s": buckets.step_s,
        "count": buckets.count,
        "rows": rows,
        "cells": cells,
        "notes": notes.texts,
    }


def _explicit(selection: Selection, notes: Notes) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
    steps, lows, highs, counts = [], [], [], []
    for row in explicit_rows(selection, notes):
        usable = finite(row["bounds"] or (), row["counts"] or ())
        if usable is not None:
            bounds, observed = usable
            steps += [row["step"]] * len(observed)
            lows += [min(0.0, bounds[0]), *bounds]
            highs += [*bounds, np.inf]
            counts += observed
    return np.array(steps, np.int64), _floats(lows), _floats(highs), _floats(counts)


def _exponential(selection: Selection, notes: Notes) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
    found = [row for row in exponential_rows(selection, notes) if row["side"] is not None]
    side, place = (_floats(row[name] or 0 for row in found) for name in ("side", "place"))
    width = np.exp2(-_floats(row["scale"] or 0 for row in found))
    edge = np.exp2(np.clip(place * width, -1074, 1023)), np.exp2(np.clip((place + 1) * width, -1074, 1023))
    threshold = _floats(row["threshold"] or 0.0 for row in found)
    low = np.select([side > 0, side < 0], [edge[0], -edge[1]], -threshold)
    high = np.select([side > 0, side < 0], [edge[1], -edge[0]], threshold)
    return np.array([row["step"] for row in found], np.int64), low, high, _floats(row["observed"] for row in found)


def _floats(values: Iterable[float]) -> Floats:
    return np.array(list(values), np.float64)


def _cells(
    places: NDArray[np.int64], lows: Floats, highs: Floats, counts: Floats, steps: int
) -> tuple[list[list[float | None]], list[list[float | None]]]:
    """Add counts up to cells: a row for each bucket, or for several neighbours where there are too many."""
    edges = np.unique(np.concatenate([lows, highs]))
    if not len(edges):
        return [], []
    if len(edges) < 2:  # noqa: PLR2004 - all observations are one value
        edges = np.array([edges[0], np.nextafter(edges[0], np.inf)])
    every = -(-(len(edges) - 1) // MOST_ROWS)
    kept = np.unique(np.append(edges[::every], edges[-1]))
    row = np.clip(np.searchsorted(kept, lows, side="right") - 1, 0, len(kept) - 2)
    cells = np.zeros((len(kept) - 1, steps))
    np.add.at(cells, (row, places), counts)
    bounds = [[float(low), float(high) if np.isfinite(high) else None] for low, high in pairwise(kept)]
    return bounds, [[value or None for value in line] for line in cells.round(6).tolist()]
