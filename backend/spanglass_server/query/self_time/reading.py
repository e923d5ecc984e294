"""The spans whose self time is asked for, in columns: all of a range, or those of some slices of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_core.traces.trace_times import EARLIEST_NS
from spanglass_server.query.differences.slices import rows_within, slices
from spanglass_server.query.language import parse_filter
from spanglass_server.query.language.compiling.relations import asks_about_others
from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME, is_service
from spanglass_server.query.language.compiling.sql import TRUE, Sql, all_of, union_all
from spanglass_server.query.records import match_records
from spanglass_server.query.services.estimates import PROBABILITY, WEIGHT
from spanglass_server.query.statements import run, statement
from spanglass_server.query.traces.identity import COLUMNS, HOST, HOST_COLUMNS, IDENTITY
from spanglass_server.query.window import widen
from spanglass_server.signals import Signal
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from spanglass_server.query.records import Records
    from spanglass_server.store.ports import QuerySession, Window

#: Ranges of more spans are read in slices that have about so many: 1.2 s of a processor.
MOST_SPANS = 300_000
#: Calls begin so long before the spans below them, at most; what is called from within slices is looked for as long.
_APART_NS = 60 * NS_PER_SECOND
_APART_OF_SLICES_NS = 10 * NS_PER_SECOND
#: In which spans are linked: ``spanglass_core.traces.trace_links.order``.
_ORDER = {"start_ns": "ascending", "duration_ns": "descending", "span_id": "ascending", "service": "ascending"}
_FIXED = ("trace_id", "parent_span_id", "name", "status_code", *COLUMNS, *HOST_COLUMNS)


@dataclass(frozen=True, slots=True)
class SelfTimeQuestion:
    """The spans whose self time is asked for: those of the range that match.

    With a service or operation paths begin at the uppermost of its spans: what is not below one is left out.
    """

    window: Window
    filter: str = ""
    service: str | None = None
    operation: str | None = None


@dataclass(frozen=True, slots=True)
class ReadSpans:
    """Spans without copies, a row each; those that do not ``count`` only say where others hang.

    ``share`` is the part of the range's spans that was read, at most 1.
    """

    table: pa.Table
    share: float

    def numbers(self, name: str) -> NDArray[Any]:
        """A column as an array."""
        found: NDArray[Any] = self.table[name].to_numpy()
        return found

    def texts(self, name: str) -> tuple[NDArray[np.int64], Sequence[str]]:
        """A column of texts: for each row the place of its text, and all texts."""
        found = pc.dictionary_encode(self.table[name].combine_chunks())
        return found.indices.to_numpy().astype(np.int64), found.dictionary.to_pylist()


def read_spans(session: QuerySession, question: SelfTimeQuestion) -> ReadSpans:
    """Read the spans of a question; FilterError for a filter that can't be understood."""
    about_others = asks_about_others(parse_filter(question.filter), Signal.SPANS)
    records = None if about_others else match_records(session, Signal.SPANS, question.window, question.filter)
    parts = session.parts(Signal.SPANS, question.window)
    rows = rows_within(parts, question.window)
    share = 1.0 if records is not None and records.trace_ids else min(1.0, MOST_SPANS / max(rows, 1))
    windows = slices(parts, question.window, share)
    read = 1.0 if windows == [question.window] else sum(rows_within(parts, each) for each in windows) / rows
    pieces = [
        _piece(session, records or _within(session, question, window), question, window, is_slice=read < 1)
        for window in windows
    ]
    # of slices that lie beside each other a span may be read twice: once as one that counts
    found = run(session, union_all(pieces)).sort_by([("counts", "descending")])
    _, firsts = np.unique(found["identity"].to_numpy(), return_index=True)
    table = found.take(pa.array(firsts)).sort_by(list(_ORDER.items()))
    return ReadSpans(table.combine_chunks(), read or 1.0)


def _within(session: QuerySession, question: SelfTimeQuestion, window: Window) -> Records:
    """The question about a slice: a filter about other spans looks only around it for them."""
    return match_records(session, Signal.SPANS, window, question.filter)


def _piece(
    session: QuerySession, records: Records, question: SelfTimeQuestion, window: Window, *, is_slice: bool
) -> Sql:
    """The spans of one stretch of time, with those near it."""
    length_ns = window.end_ns - window.start_ns
    wide = widen(window, min(_APART_OF_SLICES_NS, length_ns // 2) if is_slice else _APART_NS)
    columns = {*_FIXED, *records.columns, "start_time_ns"}
    if PROBABILITY in records.known:
        columns.add(PROBABILITY)
    begins = [Sql("name = ?", (question.operation,))] if question.operation is not None else []
    begins += [is_service(question.service)] if question.service is not None else []
    return statement(
        "self_time/spans",
        identity=IDENTITY,
        service=SERVICE_NAME,
        host=HOST,
        weight=Sql(f"({WEIGHT})::DOUBLE" if PROBABILITY in records.known else "1::DOUBLE"),
        begins=all_of(begins) if begins else TRUE,
        first_ns=window.start_ns,
        end_ns=window.end_ns,
        # of clocks that were never set: where such spans ran only their traces tell, as far as they lie in the range
        earliest_ns=EARLIEST_NS if window.end_ns > EARLIEST_NS else 0,
        matches=records.predicate,
        relation=Sql(session.relation(Signal.SPANS, wide, sorted(columns), trace_ids=records.trace_ids)),
    )
