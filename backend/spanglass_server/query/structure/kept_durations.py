"""Spans of traces that last as long as a filter asks, found in columns that are kept: for parts of a range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.query.kept_columns.matching import COMPARED
from spanglass_server.query.kept_columns.terms import terms_of
from spanglass_server.query.language import compile_filter
from spanglass_server.query.language.compiling.parts import NOTHING
from spanglass_server.query.language.parsing.ast import COMPLEMENTS, Compare
from spanglass_server.signals import Signal
from spanglass_server.store.batches.traces import taken, with_one_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.query.kept_columns.terms import Term
    from spanglass_server.query.language.compiling.parts import Part
    from spanglass_server.query.language.compiling.sql import Sql
    from spanglass_server.query.language.parsing.ast import Filter, Related
    from spanglass_server.store.batches.columns import Places
    from spanglass_server.store.batches.reading import Batch
    from spanglass_server.store.ports import Window

    Numbers = NDArray[np.int64]

DURATION = "trace.duration"
_ID = "trace_id"
#: What is read of the spans of traces to say how long those last.
LASTING_COLUMNS = (_ID, "start_time_ns", "duration_ns")


class _Asked:
    """Takes down what a condition on a figure of traces says as SQL."""

    def __init__(self) -> None:
        self.conditions: list[Sql] = []

    def related(self, _node: Related) -> Part:
        """See ``Relatives``; no condition on a figure asks for other spans."""
        return NOTHING

    def of_trace(self, _figure: str, condition: Sql) -> Part:
        """See ``Relatives``."""
        self.conditions.append(condition)
        return NOTHING


def is_of_duration(node: Filter) -> bool:
    """Whether a filter compares how long traces last, other than by ``!=``."""
    if not isinstance(node, Compare) or node.operator in COMPLEMENTS:
        return False
    return not node.field.quoted and node.field.name == DURATION


def duration_terms(nodes: Sequence[Filter]) -> list[Term] | None:
    """Return such comparisons, which all have to hold, as those of a column of durations; None if one cannot be."""
    asked = _Asked()
    for node in nodes:
        compile_filter(node, Signal.SPANS, {}, asked)
    found = [terms_of(condition, Signal.SPANS) for condition in asked.conditions]
    return None if None in found or len(found) != len(nodes) else [term for terms in found for term in terms or ()]


def of_lasting_traces(
    batches: Sequence[Batch], places: Sequence[Places], terms: Sequence[Term], window: Window
) -> list[Places]:
    """Return those of some places in each batch whose traces last so long, by all of their spans in a window."""
    own = [_ids(taken(batch, of, [_ID]), len(of)) for batch, of in zip(batches, places, strict=True)]
    wanted = pc.unique(pa.chunked_array(own, pa.binary())).drop_null()
    lasting = _lasting(_spans(batches, wanted, window), terms)
    return [
        of[pc.is_in(ids, value_set=lasting).to_numpy(zero_copy_only=False)] for of, ids in zip(places, own, strict=True)
    ]


def _spans(batches: Sequence[Batch], trace_ids: Any, window: Window) -> tuple[Any, Numbers, Numbers]:
    """Return trace ids, starts and durations of the spans of some traces that start in a window."""
    ids, starts_ns, durations_ns = [], [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for batch in batches:
        rows = with_one_of(batch, _ID, trace_ids)
        found = taken(batch, rows, LASTING_COLUMNS)
        start_ns, duration_ns = (found[name].to_numpy(zero_copy_only=False) for name in LASTING_COLUMNS[1:])
        inside = (start_ns >= window.start_ns) & (start_ns < window.end_ns)
        ids.append(_ids(found, len(rows)).filter(pa.array(inside)))
        starts_ns.append(start_ns[inside])
        durations_ns.append(duration_ns[inside])
    return pa.chunked_array(ids, pa.binary()), np.concatenate(starts_ns), np.concatenate(durations_ns)


def _lasting(spans: tuple[Any, Numbers, Numbers], terms: Sequence[Term]) -> Any:
    """Return the ids of traces for whose durations all terms hold."""
    ids, starts_ns, durations_ns = spans
    numbered = ids.combine_chunks().dictionary_encode()
    traces, count = numbered.indices.to_numpy(zero_copy_only=False), len(numbered.dictionary)
    first_ns, last_ns = np.full(count, np.iinfo(np.int64).max), np.full(count, np.iinfo(np.int64).min)
    np.minimum.at(first_ns, traces, starts_ns)
    np.maximum.at(last_ns, traces, starts_ns + durations_ns)
    holds = np.ones(count, np.bool_)
    for term in terms:
        holds &= np.any([COMPARED[term.operator](last_ns - first_ns, value) for value in term.values], axis=0)
    return numbered.dictionary.filter(pa.array(holds))


def _ids(columns: dict[str, Any], rows: int) -> Any:
    """The trace ids of some rows, nulls where a batch lacks them."""
    return pa.nulls(rows, pa.binary()) if _ID not in columns else pc.cast(columns[_ID], pa.binary())
