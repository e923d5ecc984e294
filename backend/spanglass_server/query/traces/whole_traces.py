"""Summaries of a page's traces, from all their spans, whenever they began: storage knows where to look."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from spanglass_server.query.language.compiling.sql import Sql, union_all
from spanglass_server.query.span_figures.columns import NO_PARENT
from spanglass_server.query.statements import run, statement
from spanglass_server.query.structure.kept_filter import KeptFilter
from spanglass_server.query.structure.kept_traces import rows_of_traces
from spanglass_server.query.traces.identity import COLUMNS, HOST, HOST_COLUMNS, SELECTED
from spanglass_server.query.traces.summaries import add_up
from spanglass_server.service_names import SERVICE, service_name
from spanglass_server.signals import TIME_COLUMN, Signal
from spanglass_server.store.ports import Window

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from spanglass_server.query.matching import Matching
    from spanglass_server.query.traces.summaries import Summary
    from spanglass_server.store.ports import Part, QuerySession

#: What lies apart in time is read separately, so that nothing between is; each part takes 1.5 ms to plan, ...
_MAX_PARTS = 8
#: ... and so much less has to be read by it: passing over 16 384 rows takes 0.2 ms.
_ROWS_BETWEEN = 250_000
_TIME = TIME_COLUMN[Signal.SPANS]
_SUMMARY_COLUMNS = ("trace_id", *COLUMNS, *HOST_COLUMNS, "parent_span_id", "status_code", "name")


def summarise(session: QuerySession, matching: Matching, trace_ids: Collection[bytes]) -> dict[bytes, Summary]:
    """Summarise traces by id; one that has no spans is left out."""
    if not trace_ids:
        return {}
    wanted = _kept_filter(matching)
    found = None if wanted is None else _kept_spans(session, matching.window, wanted, trace_ids)
    if found is not None:
        return add_up(found)
    matching = matching.of_traces(trace_ids)
    windows = sorted(session.trace_windows(set(trace_ids)), key=lambda pair: pair[1].start_ns)
    if not windows:
        return {}
    around = Window(windows[0][1].start_ns, max(window.end_ns for _, window in windows))
    held = session.parts(Signal.SPANS, around)
    parts = [_spans_of(session, matching, ids, window) for window, ids in _joined(windows, held)]
    read = run(session, union_all(parts))
    return add_up(zip(*(column.to_pylist() for column in read.columns), strict=True))


def _kept_filter(matching: Matching) -> KeptFilter | None:
    """What spans have to be, as comparisons of columns; None if it is more than that."""
    if matching.parts is not None:
        return matching.parts.kept
    return None if matching.terms is None else KeptFilter(matching.terms, ())


def _kept_spans(
    session: QuerySession, window: Window, wanted: KeptFilter, trace_ids: Collection[bytes]
) -> Iterator[tuple[Any, ...]] | None:
    """Read the same spans from kept columns of the row groups that they lie in; None if only SQL can tell."""
    read = rows_of_traces(session, window, wanted, trace_ids, _SUMMARY_COLUMNS)
    if read is None:
        return None
    found, rows, places = read
    matched = np.zeros(rows.rows, bool)
    matched[places] = True

    def values(name: str) -> list[Any]:
        return found[name].to_pylist() if name in found.column_names else [None] * rows.rows

    return zip(
        values("trace_id"),
        values("span_id"),
        [kind or 0 for kind in values("kind")],
        map(service_name, values(SERVICE)),
        values(_TIME),
        values("duration_ns"),
        [None if parent_id == NO_PARENT else parent_id for parent_id in values("parent_span_id")],
        values("status_code"),
        values("name"),
        [host_id or host_name or None for host_id, host_name in zip(*map(values, HOST_COLUMNS), strict=True)],
        matched.tolist(),
        strict=True,
    )


def _joined(windows: Sequence[tuple[bytes, Window]], held: Sequence[Part]) -> list[tuple[Window, set[bytes]]]:
    """Join windows of traces, in the order of their starts, unless many rows lie between; the fewest if they are many.

    ``held`` is what lies in all of them.
    """
    ends_ns = list(accumulate((window.end_ns for _, window in windows), max))
    starts_ns = [window.start_ns for _, window in windows]
    between = _rows_before(held, starts_ns[1:]) - _rows_before(held, ends_ns[:-1])
    widest = np.argsort(-between, kind="stable")[: _MAX_PARTS - 1]
    cuts = sorted(int(place) + 1 for place in widest if between[place] > _ROWS_BETWEEN)
    return [
        (Window(starts_ns[first], ends_ns[last - 1]), {trace_id for trace_id, _ in windows[first:last]})
        for first, last in pairwise([0, *cuts, len(windows)])
    ]


def _rows_before(held: Sequence[Part], times_ns: Iterable[int]) -> NDArray[np.float64]:
    """About how many rows begin before each time, as if those of a part lay evenly in its time."""
    if not held:
        return np.zeros(len(list(times_ns)))
    rows, first_ns, last_ns = np.array([(part.rows, part.min_time_ns, part.max_time_ns) for part in held], float).T
    passed_ns = np.array(list(times_ns), float)[:, None] - first_ns
    before: NDArray[np.float64] = np.clip(passed_ns / (last_ns - first_ns + 1), 0, 1) @ rows
    return before


def _spans_of(session: QuerySession, matching: Matching, trace_ids: Collection[bytes], window: Window) -> Sql:
    """Select the spans of traces that begin in a window."""
    return statement(
        "trace_spans",
        identity=SELECTED,
        host=HOST,
        matches=matching.where,
        relation=Sql(
            session.relation(Signal.SPANS, window, {*_SUMMARY_COLUMNS, *matching.columns}, trace_ids=trace_ids)
        ),
    )
