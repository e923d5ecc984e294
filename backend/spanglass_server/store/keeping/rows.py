"""What stays of a segment by a judgement: its rows counted first, then read again and written one row group at a time.

Spans that stay for others too say so themselves, in two attributes: the probability with which they were kept, which is
what questions estimate by, and of how many traces theirs is one. The second tells how far a row was thinned already, so
that judging it again changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spanglass_core.attribute_names import KEPT_ONE_IN, SAMPLING_PROBABILITY
from spanglass_server.signals import AttributeColumn, Signal, ValueType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from spanglass_server.store.keeping.ports import Decided, Judgement

TRACE_ID: Final = "trace_id"
ONE_IN: Final = AttributeColumn("span", KEPT_ONE_IN, ValueType.INT).name
PROBABILITY: Final = AttributeColumn("span", SAMPLING_PROBABILITY, ValueType.DOUBLE).name
#: What ``one_in_of`` reads.
THINNED: Final = (ONE_IN, PROBABILITY)
#: The most that policies may say.
MOST_ONE_IN: Final = 10_000
#: The same attribute where a sender wrote whole numbers: 1, which is not true of what was thinned.
_WHOLE_PROBABILITY: Final = AttributeColumn("span", SAMPLING_PROBABILITY, ValueType.INT).name


@dataclass(frozen=True, slots=True)
class Rest:
    """What stays of a segment: by row group which rows, and of how many traces each is one."""

    path: Path
    decided: Sequence[Decided]
    rows: int
    changes: bool  # whether any row goes, or stands for more than before
    thins: bool  # whether some rows stand for others too

    def schema(self) -> Any:
        """The columns that it may have."""
        schema = pq.read_schema(self.path)
        for name, kind in ((ONE_IN, pa.int64()), (PROBABILITY, pa.float64())):
            if self.thins and name not in schema.names:
                schema = schema.append(pa.field(name, kind))
        return schema.remove_metadata()

    def tables(self) -> Iterator[Any]:
        """Its rows, a row group at a time."""
        with pq.ParquetFile(self.path) as file:
            for number, decided in enumerate(self.decided):
                if decided.stays.any():
                    rows = file.read_row_group(number, use_threads=False)
                    yield _marked(rows, decided.one_in).filter(pa.array(decided.stays))


def rest_of(path: Path, signal: Signal, judgement: Judgement) -> Rest:
    """Judge the rows of a segment's file; reads two columns. ``OSError``."""
    found: list[Decided] = []
    rows, changes, thins = 0, False, False
    with pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        columns = [name for name in (TRACE_ID, *THINNED) if name in names]
        for number in range(file.num_row_groups):
            table = file.read_row_group(number, columns=columns, use_threads=False)
            size = file.metadata.row_group(number).num_rows
            ids = _ids(table) if TRACE_ID in columns else pa.nulls(size, pa.binary())
            before = one_in_of(table)
            decided = judgement.decide(ids, before)
            found.append(decided)
            rows += int(decided.stays.sum())
            more = decided.stays & (decided.one_in > before)
            changes = changes or bool(more.any()) or not decided.stays.all()
            thins = thins or bool((decided.one_in[decided.stays] > 1).any())
    return Rest(path, found, rows, changes, thins and signal is Signal.SPANS)


def _ids(table: Any) -> Any:
    """The ids of a row group as one array."""
    return pa.concat_arrays(table[TRACE_ID].cast(pa.binary()).chunks)


def one_in_of(table: Any) -> NDArray[Any]:
    """Of how many traces that of each row is one, 1 where nothing was thinned.

    Senders may write anything: it is taken only beside a probability that says the same, or less.
    """
    if ONE_IN not in table.column_names or PROBABILITY not in table.column_names:
        return np.ones(table.num_rows, np.int64)
    known: NDArray[Any] = pc.fill_null(table[ONE_IN], 1).to_numpy()
    kept: NDArray[Any] = pc.fill_null(table[PROBABILITY], 1.0).to_numpy()
    is_so = (known > 1) & (known <= MOST_ONE_IN) & (kept > 0) & (kept * known <= 1 + 1e-9)
    return np.where(is_so, known, 1)


def _marked(rows: Any, one_in: NDArray[Any]) -> Any:
    """Rows with what they stand for written into them."""
    before = one_in_of(rows)
    more = one_in > before
    if not more.any():
        return rows
    chosen = pa.array(more)
    own = {name: rows[name] for name in (PROBABILITY, ONE_IN) if name in rows.column_names}
    known = pc.fill_null(own[PROBABILITY], 1.0).to_numpy() if PROBABILITY in own else np.ones(rows.num_rows)
    known = np.where((known > 0) & (known < 1), known, 1.0)  # what is no probability counts as 1
    new = {
        PROBABILITY: pc.if_else(
            chosen, pa.array(known * before / one_in), own.get(PROBABILITY, pa.scalar(None, pa.float64()))
        ),
        ONE_IN: pc.if_else(chosen, pa.array(one_in, pa.int64()), own.get(ONE_IN, pa.scalar(None, pa.int64()))),
    }
    if _WHOLE_PROBABILITY in rows.column_names:
        new[_WHOLE_PROBABILITY] = pc.if_else(chosen, pa.scalar(None, pa.int64()), rows[_WHOLE_PROBABILITY])
    for name, column in new.items():
        place = rows.schema.get_field_index(name)
        rows = rows.append_column(name, column) if place < 0 else rows.set_column(place, name, column)
    return rows
