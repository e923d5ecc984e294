"""How durations of spans are distributed over time: the cells of a heatmap."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from spanglass_server.query.answers import Nanoseconds, TimeRange, UnixSeconds
from spanglass_server.query.matching import match_spans
from spanglass_server.query.statements import run, statement
from spanglass_server.query.window import Buckets, bucket_seconds, describe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.query.matching import SpanQuestion
    from spanglass_server.store.ports import QuerySession

    Numbers = NDArray[np.int64]

#: So many levels for each factor of ten: 1, 1.26, 1.58, 2, 2.51, 3.16, 3.98, 5.01, 6.31, 7.94 ms.
LEVELS = 10
#: Levels that are put together, to have no more rows than these.
_TOGETHER, _MOST_ROWS = (1, 2, 5, 10), 32
#: The fastest spans, this share of all, are one row, however fast: nobody looks for them.
_FASTEST = 0.005


class HeatmapRow(TypedDict):
    """Durations from ``low_ns`` up to, and without, ``high_ns``."""

    low_ns: Nanoseconds
    high_ns: Nanoseconds


class LatencyHeatmap(TypedDict):
    """The answer of ``GET /api/v1/spans/heatmap``.

    ``cells`` has for each row, the fastest first, how many spans started in each of ``count`` steps; ``errors`` how
    many in each step failed. Spans that a sampler left out are not in it.
    """

    window: TimeRange
    start: UnixSeconds
    step_s: float
    count: int
    rows: list[HeatmapRow]
    cells: list[list[int]]
    errors: list[int]
    spans: int


def latency_heatmap(session: QuerySession, question: SpanQuestion, buckets: int) -> LatencyHeatmap:
    """Answer ``GET /api/v1/spans/heatmap``: spans that match by start and duration."""
    matching = match_spans(session, question)
    steps = Buckets.about(question.window, buckets)
    found = run(
        session,
        statement(
            "performance/heatmap",
            first_ns=steps.first_ns,
            step_ns=steps.step_ns,
            levels=LEVELS,
            relation=matching.relation(session, ("duration_ns", "status_code")),
            where=matching.where,
        ),
    )
    step, level, spans, failed = (found[name].to_numpy().astype(np.int64) for name in found.column_names)
    errors = np.zeros(steps.count, np.int64)
    np.add.at(errors, step, failed)
    edges = _edges(level, spans)
    cells = np.zeros((max(0, len(edges) - 1), steps.count), np.int64)
    if len(edges):
        np.add.at(cells, (np.maximum(np.searchsorted(edges, level, side="right") - 1, 0), step), spans)
    bounds = [0, *(round(10 ** (edge / LEVELS)) for edge in edges.tolist()[1:])]
    return {
        "window": describe(question.window),
        "start": bucket_seconds(steps.first_ns),
        "step_s": steps.step_s,
        "count": steps.count,
        "rows": [{"low_ns": low, "high_ns": high} for low, high in pairwise(bounds)],
        "cells": cells.tolist(),
        "errors": errors.tolist(),
        "spans": int(spans.sum()),
    }


def _edges(level: Numbers, spans: Numbers) -> Numbers:
    """Return the first level of each row and the one past the last; nothing without spans."""
    if not len(level):
        return level
    counts = np.bincount(level, spans)
    slower = np.flatnonzero(np.cumsum(counts) > _FASTEST * spans.sum())
    low, high = int(slower[0]), int(level.max()) + 1
    together = next((size for size in _TOGETHER if -(-high // size) - low // size <= _MOST_ROWS), _TOGETHER[-1])
    return np.arange(low // together, -(-high // together) + 1) * together
