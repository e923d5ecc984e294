"""Which rows of a batch have what terms ask for.

What no text of a row group can be equal to is found out from its dictionaries, without a look at any row. Then the
first term looks at all rows, every further one at those that are left, and columns that none is left for are not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from spanglass_server.query.kept_columns.terms import Term
from spanglass_server.signals import TIME_COLUMN, Signal
from spanglass_server.store.batches.columns import Numbers, Texts, column_of, joined
from spanglass_server.store.batches.reading import Batch
from spanglass_server.store.ports import ALL_TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from spanglass_server.query.matching import Matching
    from spanglass_server.store.batches.columns import Column, Places
    from spanglass_server.store.ports import QuerySession, Window

COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "=": np.equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
_NOWHERE = np.arange(0)
#: Columns of rows that fill half of the cache at this size are left to SQL: of two million rows by default.
_BYTES_A_ROW = 64


def matching_batches(
    session: QuerySession, matching: Matching, terms: Sequence[Term]
) -> Iterator[tuple[Batch, Places]] | None:
    """Batches of spans with the places of those that match, which are some; None if there would be too many to keep.

    Raises LargeColumnsError on the way where texts are long.
    """
    batches = session.batches(
        *(Signal.SPANS, matching.window),
        require=matching.require,
        values=matching.values,
        most_rows=session.kept.max_bytes // (2 * _BYTES_A_ROW),
    )
    if batches is None:
        return None
    found = ((batch, matching_rows(batch, terms, matching.window, TIME_COLUMN[Signal.SPANS])) for batch in batches)
    return ((batch, places) for batch, places in found if len(places))


def matching_rows(batch: Batch, terms: Sequence[Term], window: Window, time: str) -> Places:
    """The places of the rows of a window for which all terms hold, ascending."""
    asked = list(terms)
    if batch.min_time_ns < window.start_ns or batch.max_time_ns >= window.end_ns:
        asked += [Term(time, ">=", (window.start_ns,)), Term(time, "<", (window.end_ns,))]
    constant = [term for term in asked if term.column in batch.constants]
    if not all(_holds(batch.constants[term.column], term) for term in constant):
        return _NOWHERE
    asked = [term for term in asked if term.column not in batch.constants]
    texts = [term for term in asked if term.is_text]
    numbers = [term for term in asked if not term.is_text]
    tests = _tests(batch, texts)
    if None in tests:
        return _NOWHERE
    return _passing(batch.rows, chain(tests, chain.from_iterable(_tests(batch, [term]) for term in numbers)))


def _tests(batch: Batch, terms: Sequence[Term]) -> list[_Test | None]:
    columns = batch.columns({term.column for term in terms}) if terms else {}
    return [_test_of(columns.get(term.column), term) for term in terms]


def _holds(constant: Any, term: Term) -> bool:
    """Whether a term holds for all rows, which have the one value of an array."""
    test = _test_of(column_of(constant, coded=True), term)
    return test is not None and len(test.passing(None)) > 0


def batch_of_rows(table: pa.Table) -> Batch:
    """Rows of a query as a batch, of which nothing is known."""
    columns = {name: column_of(joined(table[name].chunks), coded=True) for name in table.column_names}
    return Batch(
        table.num_rows,
        ALL_TIME.start_ns - 1,
        ALL_TIME.end_ns,
        {},
        lambda names: {name: columns[name] for name in names if name in columns},
    )


def _passing(rows: int, tests: Iterable[_Test | None]) -> Places:
    """The rows that pass one test after another; columns of tests that no row comes to are not read."""
    places: Places | None = None
    for test in tests:
        places = _NOWHERE if test is None else test.passing(places)
        if not len(places):
            return _NOWHERE
    return np.arange(rows) if places is None else places


@dataclass(frozen=True, slots=True)
class _Test:
    """Numbers, or codes of texts, compared with one or equal to one of several; ``absent`` ones never pass."""

    numbers: NDArray[Any]
    operator: str
    values: tuple[int, ...]
    absent: NDArray[np.bool_] | None = None

    def passing(self, among: Places | None) -> Places:
        """Which of some rows pass, of all by default."""
        numbers = self.numbers if among is None else self.numbers[among]
        if len(self.values) == 1:
            passed = COMPARED[self.operator](numbers, self.values[0])
        else:
            passed = np.isin(numbers, self.values)
        found = np.flatnonzero(passed) if among is None else among[passed]
        return found if self.absent is None else found[~self.absent[found]]


def _test_of(column: Column | None, term: Term) -> _Test | None:
    """The test of a column's rows for a term; None if no row can pass."""
    match column:
        case Texts():
            codes = [column.code_of(str(value)) for value in term.values]
            known = tuple(code for code in codes if code is not None)
            return _Test(column.codes, "=", known) if known else None
        case Numbers(numbers, absent):
            return _Test(numbers, term.operator, tuple(map(int, term.values)), absent)
        case _:
            return None
