"""The self time of spans over a range, folded by path, as the API says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np
import pyarrow as pa

from spanglass_server.query.answers import Nanoseconds, Slot, TimeRange, whole
from spanglass_server.query.self_time.folding import fold
from spanglass_server.query.self_time.reading import read_spans
from spanglass_server.query.window import describe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from spanglass_server.query.self_time.folding import FoldedPaths
    from spanglass_server.query.self_time.reading import ReadSpans, SelfTimeQuestion
    from spanglass_server.store.ports import QuerySession

_MOST_OPERATIONS = 200


class SelfTimePath(TypedDict):
    """All spans of one path. Its parent is the last path above it that is less deep.

    ``work_ns`` is the self time of these spans and of all below them. Of a path whose own spans do not match, but some
    below it, all else is 0 and the trace null.
    """

    depth: int
    service: str
    slot: Slot
    name: str
    spans: int
    errors: int
    duration_ns: Nanoseconds
    self_time_ns: Nanoseconds
    work_ns: Nanoseconds
    longest_ns: Nanoseconds | None
    longest_trace: str | None
    longest_span: str | None


class OperationSelfTime(TypedDict):
    """The spans of one name of a service, wherever they were called from; ``share`` is that of all self time."""

    service: str
    slot: Slot
    operation: str
    spans: int
    errors: int
    duration_ns: Nanoseconds
    self_time_ns: Nanoseconds
    share: float


class SelfTime(TypedDict):
    """The answer of ``GET /api/v1/self-time``.

    ``spans`` match and are below the service and operation that were asked for. Where only slices of the range were
    read, ``sampled_share`` says how much of it, and all figures are estimates for the whole range.
    """

    window: TimeRange
    spans: int
    self_time_ns: Nanoseconds
    sampled_share: float | None
    paths: list[SelfTimePath]
    paths_left_out: int
    operations: list[OperationSelfTime]
    operations_left_out: int


def self_time(session: QuerySession, question: SelfTimeQuestion, limit: int) -> SelfTime:
    """Answer ``GET /api/v1/self-time``: paths depth first, the lightest left out beyond the limit."""
    spans = read_spans(session, question)
    folded = fold(spans)
    used = np.flatnonzero(folded.spans_below > 0)
    chosen = _in_order(folded, used[np.argsort(-folded.work_ns[used], kind="stable")][:limit])
    operations = _operations(session, folded, 1 / spans.share)
    return {
        "window": describe(question.window),
        "spans": whole(folded.spans.sum() / spans.share),
        "self_time_ns": whole(folded.self_time_ns.sum() / spans.share),
        "sampled_share": round(spans.share, 6) if spans.share < 1 else None,
        "paths": _paths(session, spans, folded, chosen),
        "paths_left_out": max(0, len(used) - len(chosen)),
        "operations": operations[:_MOST_OPERATIONS],
        "operations_left_out": max(0, len(operations) - _MOST_OPERATIONS),
    }


def _in_order(folded: FoldedPaths, chosen: NDArray[np.int64]) -> list[int]:
    """Paths depth first, the heaviest first among siblings; each stands after that above it."""
    below: dict[int, list[int]] = {}
    for path, parent in zip(chosen.tolist(), folded.parents[chosen].tolist(), strict=True):
        below.setdefault(parent, []).append(path)
    found = []
    todo = below.get(-1, [])[::-1]
    while todo:
        path = todo.pop()
        found.append(path)
        todo.extend(reversed(below.get(path, ())))
    return found


def _paths(session: QuerySession, spans: ReadSpans, folded: FoldedPaths, chosen: Sequence[int]) -> list[SelfTimePath]:
    slots = {service: session.service_slot(service) for service in sorted(set(folded.services))}
    columns = {
        name: [whole(figure) for figure in (getattr(folded, name)[chosen] / spans.share).tolist()]
        for name in ("spans", "errors", "duration_ns", "self_time_ns", "work_ns")
    }
    longest = _longest(spans, folded.longest[chosen].tolist())
    return [
        {
            "depth": depth,
            "service": folded.services[step],
            "slot": slots[folded.services[step]],
            "name": folded.names[step],
            "spans": columns["spans"][place],
            "errors": columns["errors"][place],
            "duration_ns": columns["duration_ns"][place],
            "self_time_ns": columns["self_time_ns"][place],
            "work_ns": columns["work_ns"][place],
            "longest_ns": longest[place][0],
            "longest_trace": longest[place][1],
            "longest_span": longest[place][2],
        }
        for place, (depth, step) in enumerate(
            zip(folded.depths[chosen].tolist(), folded.steps[chosen].tolist(), strict=True)
        )
    ]


def _longest(spans: ReadSpans, rows: Sequence[int]) -> list[tuple[Any, Any, Any]]:
    """Duration, trace and id of rows, nothing for -1."""
    wanted = sorted({row for row in rows if row >= 0})
    taken = spans.table.select(["duration_ns", "trace_id", "span_id"]).take(pa.array(wanted, pa.int64())).to_pylist()
    known = {
        row: (one["duration_ns"], (one["trace_id"] or b"").hex() or None, (one["span_id"] or b"").hex() or None)
        for row, one in zip(wanted, taken, strict=True)
    }
    return [known.get(row, (None, None, None)) for row in rows]


def _operations(session: QuerySession, folded: FoldedPaths, times: float) -> list[OperationSelfTime]:
    """Figures by service and name, those of most self time first."""
    many = len(folded.names)
    sums = {
        name: np.bincount(folded.steps, getattr(folded, name), many) * times
        for name in ("spans", "errors", "duration_ns", "self_time_ns")
    }
    of_all = sums["self_time_ns"].sum() or 1
    figures = {name: [whole(figure) for figure in of_name.tolist()] for name, of_name in sums.items()}
    order = np.argsort(-sums["self_time_ns"], kind="stable")
    return [
        {
            "service": folded.services[step],
            "slot": session.service_slot(folded.services[step]),
            "operation": folded.names[step],
            "spans": figures["spans"][step],
            "errors": figures["errors"][step],
            "duration_ns": figures["duration_ns"][step],
            "self_time_ns": figures["self_time_ns"][step],
            "share": round(float(sums["self_time_ns"][step] / of_all), 6),
        }
        for step in order[sums["spans"][order] > 0].tolist()
    ]
