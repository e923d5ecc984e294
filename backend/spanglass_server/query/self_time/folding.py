"""Spans of many traces folded by path, in columns: where each span ran, its self time, and the figures of each path.

The rules are those of one trace: a call that is served by another clock is moved into its caller where it contradicts
it, and a span's self time is what none of the calls took that it waits for (``spanglass_core.traces.trace_times``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spanglass_server.query.language.intrinsics import SPAN_KINDS
from spanglass_server.query.self_time.linking import depths_of, parents_of
from spanglass_server.query.trace_tree.arrays import SpanArrays
from spanglass_server.query.trace_tree.clocks import awaited, resolutions, skews
from spanglass_server.query.trace_tree.own_times import Placed, self_times

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from spanglass_server.query.self_time.reading import ReadSpans

#: Calls further down count for the path that is so deep.
DEEPEST = 200
#: Times and lengths end here, in 2116: sums of two fit into 63 bits.
_LATEST_NS = 2**62 - 1
#: Levels whose clocks are compared one by one: calls further down are compared with callers as these were recorded.
_MOST_LEVELS = 2_000


@dataclass(frozen=True, slots=True)
class FoldedPaths:
    """Figures of paths, a row each, those of less depth first; ``parents`` are rows, -1 at the top.

    ``steps`` are places in ``services`` and ``names``; ``longest`` is the row of the span that took longest, -1 where
    none counts. Sums are of the spans that count, each as often as its weight says: of the path itself, ``work_ns`` and
    ``spans_below`` of self times and spans with all that is below it.
    """

    parents: NDArray[np.int64]
    depths: NDArray[np.int64]
    steps: NDArray[np.int64]
    services: Sequence[str]
    names: Sequence[str]
    spans: NDArray[np.float64]
    errors: NDArray[np.float64]
    duration_ns: NDArray[np.float64]
    self_time_ns: NDArray[np.float64]
    work_ns: NDArray[np.float64]
    spans_below: NDArray[np.float64]
    longest: NDArray[np.int64]


def fold(spans: ReadSpans) -> FoldedPaths:
    """Fold spans by path."""
    parents = parents_of(spans)
    depths = depths_of(parents)
    self_ns = _self_times(spans, parents, depths)
    steps, services, names = _steps(spans)
    return _figures(spans, self_ns, _paths(spans.numbers("begins"), parents, depths, steps), (services, names))


def _levels(depths: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """The rows of each depth, from the top, those that are too deep left out."""
    order = np.argsort(depths, kind="stable")
    begin = 0
    for end in np.cumsum(np.bincount(depths)).tolist()[: DEEPEST + 1]:
        yield order[begin:end]
        begin = end


def _self_times(spans: ReadSpans, parents: NDArray[np.int64], depths: NDArray[np.int64]) -> NDArray[np.int64]:
    """What each span took without the calls that it waited for."""
    columns = _columns(spans)
    steps = resolutions(columns)
    starts = columns.start_ns
    if len(steps) > 1:  # one clock contradicts nothing
        moved = starts + skews(columns, parents, np.minimum(depths, _MOST_LEVELS), steps)
        starts = np.clip(moved, -_LATEST_NS, _LATEST_NS)
    below = np.flatnonzero(parents >= 0)
    by_parent = below[np.lexsort((starts[below], parents[below]))]
    return self_times(Placed(parents, starts, starts + columns.duration_ns, awaited(columns, parents), by_parent))


def _columns(spans: ReadSpans) -> SpanArrays:
    """The spans as the rules of a trace take them."""
    return SpanArrays(
        ids=spans.numbers("own"),
        parent_ids=spans.numbers("above"),
        has_parent=spans.numbers("has_parent"),
        clocks=np.unique(spans.numbers("clock"), return_inverse=True)[1],
        start_ns=np.clip(spans.numbers("start_ns"), 0, _LATEST_NS),
        duration_ns=np.clip(spans.numbers("duration_ns"), 0, _LATEST_NS),
        services=spans.texts("service")[0],
        kinds=spans.numbers("kind"),
        failed=spans.numbers("failed"),
        kind_names=SPAN_KINDS,
    )


def _steps(spans: ReadSpans) -> tuple[NDArray[np.int64], Sequence[str], Sequence[str]]:
    """For each span the place of its service and name, and both by place."""
    services, service_texts = spans.texts("service")
    names, name_texts = spans.texts("name")
    many = max(1, len(name_texts))
    known, steps = np.unique(services * many + names, return_inverse=True)
    places = [divmod(code, many) for code in known.tolist()]
    return steps, [service_texts[service] for service, _ in places], [name_texts[name] for _, name in places]


@dataclass(frozen=True, slots=True)
class _Paths:
    parents: NDArray[np.int64]
    steps: NDArray[np.int64]
    of_span: NDArray[np.int64]


def _paths(
    begins: NDArray[np.bool_], parents: NDArray[np.int64], depths: NDArray[np.int64], steps: NDArray[np.int64]
) -> _Paths:
    """All paths, and that of each span: -1 for what is not below a span at which paths begin."""
    of_span = np.full(len(parents), -1, np.int64)
    found = [(np.empty(0, np.int64), np.empty(0, np.int64))]
    count, many = 0, int(steps.max(initial=0)) + 1
    for rows in _levels(depths):
        above = np.where(parents[rows] >= 0, of_span[parents[rows]], -1)
        is_inside = (above >= 0) | begins[rows]
        inside = rows[is_inside]
        keys, places = np.unique((above[is_inside] + 1) * many + steps[inside], return_inverse=True)
        of_span[inside] = count + places
        found.append((keys // many - 1, keys % many))
        count += len(keys)
    deeper = depths > DEEPEST
    of_span[deeper] = of_span[_ancestors(parents, deeper)[deeper]]
    path_parents, path_steps = (np.concatenate(column) for column in zip(*found, strict=True))
    return _Paths(path_parents, path_steps, of_span)


def _ancestors(parents: NDArray[np.int64], deeper: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each span the nearest one above it that is not too deep, itself if it is not."""
    found = np.where(deeper, parents, np.arange(len(parents)))
    while deeper[found].any():
        found = found[found]
    return found


def _figures(
    spans: ReadSpans, self_ns: NDArray[np.int64], paths: _Paths, texts: tuple[Sequence[str], Sequence[str]]
) -> FoldedPaths:
    counts = np.flatnonzero(spans.numbers("counts") & (paths.of_span >= 0))
    of_span, weights, lengths = paths.of_span[counts], spans.numbers("weight")[counts], spans.numbers("duration_ns")
    many = len(paths.parents)
    depths = depths_of(paths.parents)

    def total(values: NDArray[Any]) -> NDArray[np.float64]:
        sums: NDArray[np.float64] = np.bincount(of_span, values[counts] * weights, many).astype(np.float64)
        return sums

    own, each = total(self_ns), total(np.ones(len(lengths)))
    work, spans_below = own.copy(), each.copy()
    for level in reversed(list(_levels(depths))):
        below = level[paths.parents[level] >= 0]
        for sums in work, spans_below:
            np.add.at(sums, paths.parents[below], sums[below])
    longest = np.full(many, -1, np.int64)
    rising = counts[np.argsort(lengths[counts], kind="stable")]
    longest[paths.of_span[rising]] = rising  # the last one written is the longest
    return FoldedPaths(
        parents=paths.parents,
        depths=depths,
        steps=paths.steps,
        services=texts[0],
        names=texts[1],
        spans=each,
        errors=total(spans.numbers("failed")),
        duration_ns=total(lengths),
        self_time_ns=own,
        work_ns=work,
        spans_below=spans_below,
        longest=longest,
    )
