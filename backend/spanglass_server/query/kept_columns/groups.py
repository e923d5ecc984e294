"""Matching spans counted and measured by columns, when the question and its keys only read columns that can be kept."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spanglass_server.query.kept_columns.matching import matching_batches
from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.span_figures.cells import sort_together
from spanglass_server.query.span_figures.joining import read_off
from spanglass_server.service_names import SERVICE, service_name
from spanglass_server.signals import TIME_COLUMN, Signal, sql_type
from spanglass_server.store.batches.columns import Numbers, Texts
from spanglass_server.store.ports import LargeColumnsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from spanglass_server.query.kept_columns.terms import Term
    from spanglass_server.query.language.compiling.sql import Sql
    from spanglass_server.query.matching import Matching
    from spanglass_server.store.batches.columns import Places
    from spanglass_server.store.batches.reading import Batch
    from spanglass_server.store.ports import QuerySession

    Codes = NDArray[np.int64]

_TIME = TIME_COLUMN[Signal.SPANS]
_FIGURES = (_TIME, "duration_ns", "status_code")
_ERROR = 2
_COLUMN = re.compile(r'"((?:[^"]|"")+)"')
#: Of a row group with no more texts all are numbered, which is quicker than finding out which of them are meant.
_LISTED_MAX = 64
#: With more values of a key, or more groups, SQL is asked.
_GROUPS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class _Key:
    """A column to group by, and what is shown of a stored value."""

    column: str
    shown: Callable[[Any], Any]


def kept_groups(
    session: QuerySession, matching: Matching, keys: Sequence[Sql], limit: int
) -> list[dict[str, Any]] | None:
    """Rows as of ``span_groups.sql``, by expressions whose values are ``key 0`` and so on; None if SQL has to look."""
    terms = None if matching.trace_ids else matching.terms
    columns = list(map(_key_of, keys))
    known = [key for key in columns if key is not None]
    if terms is None or len(known) < len(columns):
        return None
    spans = _spans_of(session, matching, terms, known)
    return None if spans is None else spans.rows(limit)


def _key_of(expression: Sql) -> _Key | None:
    """What an expression groups by, if it is the name of a service or a column of texts or whole numbers."""
    if expression.text == SERVICE_NAME.text:
        return _Key(SERVICE, service_name)
    column = _COLUMN.fullmatch(expression.text)
    name = "" if column is None else column[1].replace('""', '"')
    if not name or sql_type(Signal.SPANS, name) not in ("VARCHAR", "BIGINT"):
        return None
    return _Key(name, lambda stored: stored)


def _spans_of(session: QuerySession, matching: Matching, terms: Sequence[Term], keys: Sequence[_Key]) -> _Spans | None:
    """Read what is needed of the matching spans; None if that can't be."""
    batches = matching_batches(session, matching, terms)
    if batches is None:
        return None
    spans = _Spans([_Coding(key) for key in keys])
    try:
        if not all(spans.add(batch, places) for batch, places in batches):
            return None
    except LargeColumnsError:
        return None
    return spans


@dataclass(slots=True)
class _Coding:
    """Numbers for the values of a key, over all batches."""

    key: _Key
    codes: dict[Any, int] = field(default_factory=dict)
    of_rows: list[Codes] = field(default_factory=list)

    def add(self, batch: Batch, places: Places) -> None:
        """Number the values of some rows."""
        constant = batch.constants.get(self.key.column)
        match batch.columns([self.key.column]).get(self.key.column):
            case Texts() as texts:
                self.of_rows.append(self._texts(texts, texts.codes[places]))
            case Numbers(numbers, absent):
                values, local = np.unique(numbers[places], return_inverse=True)
                codes = self._numbered(values.tolist())[local]
                if absent is not None:
                    codes[absent[places]] = self._numbered([None])[0]
                self.of_rows.append(codes)
            case _:
                value = None if constant is None else constant[0].as_py()
                self.of_rows.append(np.repeat(self._numbered([value]), len(places)))

    def _texts(self, column: Texts, local: NDArray[Any]) -> Codes:
        if len(column.values) <= _LISTED_MAX:
            found: Codes = self._numbered(column.listed)[local]
            return found
        used = np.flatnonzero(np.bincount(local))
        codes = np.zeros(used[-1] + 1, np.int64)
        codes[used] = self._numbered(column.values.take(pa.array(used)).to_pylist())
        numbered: Codes = codes[local]
        return numbered

    def _numbered(self, values: Sequence[Any]) -> Codes:
        shown, codes = self.key.shown, self.codes
        return np.array([codes.setdefault(shown(value), len(codes)) for value in values], np.int64)


@dataclass(slots=True)
class _Spans:
    """Matching spans in columns."""

    keys: list[_Coding]
    start_ns: list[Codes] = field(default_factory=list)
    duration_ns: list[Codes] = field(default_factory=list)
    failed: list[NDArray[np.bool_]] = field(default_factory=list)

    def add(self, batch: Batch, places: Places) -> bool:
        """Add rows of a batch; False if they lack a time, or have too many values."""
        batch.columns({key.key.column for key in self.keys}.union(_FIGURES))  # all at once
        for key in self.keys:
            key.add(batch, places)
        start_ns, duration_ns = (_numbers(batch, name, places) for name in (_TIME, "duration_ns"))
        if start_ns is None or duration_ns is None:
            return False
        self.start_ns.append(start_ns)
        self.duration_ns.append(duration_ns)
        status = _numbers(batch, "status_code", places, absent=0)
        self.failed.append(np.zeros(len(places), bool) if status is None else status == _ERROR)
        return all(len(key.codes) <= _GROUPS_MAX for key in self.keys)

    def rows(self, limit: int) -> list[dict[str, Any]] | None:
        """The largest groups with their figures; None if there are too many to be told one by one."""
        if not self.start_ns:
            return []
        code = np.zeros(sum(map(len, self.start_ns)), np.int64)
        for key in self.keys:
            code = code * len(key.codes) + np.concatenate(key.of_rows)
        codes, durations = sort_together(code, np.concatenate(self.duration_ns))
        begins = np.flatnonzero(np.diff(codes, prepend=-1))
        if len(begins) > _GROUPS_MAX:
            return None
        place = np.searchsorted(codes[begins], code)
        spans = np.diff(np.append(begins, len(codes)))
        last_ns = np.zeros(len(begins), np.int64)
        np.maximum.at(last_ns, place, np.concatenate(self.start_ns))
        figures = {
            "requests": spans.tolist(),
            "errors": np.bincount(place[np.concatenate(self.failed)], minlength=len(begins)).tolist(),
            "quantiles_ns": read_off(durations, begins, spans).tolist(),
            "last_ns": last_ns.tolist(),
        }
        values = self._values(codes[begins])
        largest = sorted(
            range(len(begins)), key=lambda group: (-figures["requests"][group], *_nulls_last(values, group))
        )
        return [
            {
                **{f"key {place}": of_key[group] for place, of_key in enumerate(values)},
                **{name: of_groups[group] for name, of_groups in figures.items()},
            }
            for group in largest[:limit]
        ]

    def _values(self, codes: Codes) -> list[list[Any]]:
        """The values of each key, group by group."""
        found: list[list[Any]] = []
        for key in reversed(self.keys):
            codes, of_key = np.divmod(codes, len(key.codes))
            shown = list(key.codes)
            found.append([shown[code] for code in of_key.tolist()])
        return found[::-1]


def _numbers(batch: Batch, name: str, places: Places, absent: int | None = None) -> NDArray[Any] | None:
    """A column's numbers in some rows; None if it is not there, or some are absent and no number stands for these."""
    constant = batch.constants.get(name)
    if constant is not None:
        return np.repeat(constant.to_numpy(), len(places))
    column = batch.columns([name]).get(name)
    if not isinstance(column, Numbers):
        return None
    numbers: NDArray[Any] = column.numbers[places]
    if column.absent is None or not column.absent[places].any():
        return numbers
    return None if absent is None else np.where(column.absent[places], absent, numbers)


def _nulls_last(values: Sequence[Sequence[Any]], group: int) -> list[tuple[bool, Any]]:
    return [(of_key[group] is None, of_key[group]) for of_key in values]
