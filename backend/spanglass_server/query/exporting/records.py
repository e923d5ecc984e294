"""Records of a range as tables, a piece at a time: with all their stored columns, or with those that SQL sees.

Stored columns lose nothing: whoever has them can send the same records again. A column of an attribute is called
``<position>.<key>:<type>`` there, and ids are bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.language import parse_filter
from spanglass_server.query.language.compiling.relations import IN_TRACES, asks_about_others
from spanglass_server.query.language.compiling.sql import TRUE, Sql
from spanglass_server.query.records import Records, match_records
from spanglass_server.query.sql_console.views import view_columns
from spanglass_server.query.statements import run, statement
from spanglass_server.query.structure.compiling import compile_stored
from spanglass_server.query.structure.kept_sets import KeptSets
from spanglass_server.signals import FIXED_COLUMNS, Signal, quote_identifier
from spanglass_server.store.keeping.rows import ONE_IN, PROBABILITY
from spanglass_server.store.ports import QueryError, Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from spanglass_server.store.ports import QuerySession

_NOWHERE = Window(0, 0)
#: Texts by their places in a dictionary.
_CODED = pa.dictionary(pa.int32(), pa.string())
_NEW_COLUMNS = "records with new columns came while they were exported"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is exported: the records of a signal in a range that match a filter.

    ``readable``: under the names of SQL's views, and without the log records that readers of logs are not shown;
    ``columns`` are those of these names that are wanted, all without.
    """

    signal: Signal
    window: Window
    filter_text: str = ""
    readable: bool = False
    columns: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out, neither records nor columns, so that SQL is not needed."""
        return not self.readable and not self.filter_text.strip()

    @property
    def asks_about_others(self) -> bool:
        """Whether the filter asks about other spans of a record's trace."""
        return self.signal in IN_TRACES and asks_about_others(parse_filter(self.filter_text), self.signal)


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a file: SQL for each by its name, and the stored ones that it reads."""

    expressions: Mapping[str, str]
    stored: tuple[str, ...]

    @property
    def sql(self) -> Sql:
        """What is selected."""
        return Sql(", ".join(f"{text} AS {quote_identifier(name)}" for name, text in self.expressions.items()))


def stored_columns(session: QuerySession, signal: Signal, window: Window) -> list[str]:
    """All stored columns that records of a window may have, the fixed ones first."""
    return list(dict.fromkeys([*FIXED_COLUMNS[signal], *sorted(session.columns(signal, window))]))


def file_columns(signal: Signal, stored: Sequence[str]) -> list[str]:
    """The columns of a file under stored names, given those of a window.

    Spans have those that retention's thinning adds, null where it did not: it may begin while a file is made.
    """
    return list(dict.fromkeys([*stored, ONE_IN, PROBABILITY])) if signal is Signal.SPANS else list(stored)


def columns_of(session: QuerySession, wanted: Wanted) -> Columns:
    """Return the columns of everything that is wanted; BadQuestionError for one that is not there."""
    stored = stored_columns(session, wanted.signal, wanted.window)
    if not wanted.readable:
        if wanted.columns:
            hint = "choose them with names=readable, or leave columns out"
            raise BadQuestionError("of stored names a file has all columns", field="columns", hint=hint)
        stored = file_columns(wanted.signal, stored)
        return Columns({name: quote_identifier(name) for name in stored}, tuple(stored))
    seen = view_columns(wanted.signal, stored)
    chosen = {name: seen[name] for name in _chosen(seen, wanted.columns)}
    sources = dict.fromkeys(source for sources, _ in chosen.values() for source in sources)
    return Columns({name: text for name, (_, text) in chosen.items()}, tuple(sources))


def _chosen(seen: Mapping[str, object], names: Sequence[str]) -> Iterable[str]:
    by_name = {name.lower(): name for name in seen}
    for name in names:
        if name.lower() not in by_name:
            hint = "DESCRIBE spans (or logs, metrics) in SQL lists them"
            raise BadQuestionError(f"there is no column {name!r}", field="columns", hint=hint)
    return [by_name[name.lower()] for name in names] or seen


def schema_of(session: QuerySession, wanted: Wanted, columns: Columns) -> pa.Schema:
    """Return the types of the columns; texts are dictionaries where they come as such from storage."""
    relation = session.relation(wanted.signal, _NOWHERE, columns.stored)
    asked = statement("exporting/records", columns=columns.sql, relation=Sql(relation), where=TRUE)
    schema = run(session, asked).schema
    if not wanted.is_everything:
        return schema
    return pa.schema([field.with_type(_CODED) if field.type == pa.string() else field for field in schema])


@dataclass(slots=True)
class Finder:
    """Finds what is wanted in one part of the range after another.

    Other spans of a record's trace may lie in any part. So for a filter about them these are looked for in the whole
    range, as it is when the first part is asked for, and kept, unless they are too many: then every part looks anew.
    """

    wanted: Wanted
    _kept: tuple[Records, KeptSets] | None = None
    _is_kept: bool = True

    def find(self, session: QuerySession, window: Window) -> Records:
        """What is wanted of a part of the range."""
        if self._kept is None:
            sets = KeptSets() if self._is_kept and self.wanted.asks_about_others else None
            records = _matching(session, self.wanted, sets)
            if sets is None:
                return records.narrowed(window)
            self._is_kept = sets.are_all
            if not self._is_kept:
                return self.find(session, window)
            self._kept = records, sets
        records, sets = self._kept
        return replace(records, window=window, predicate=sets.read(session, records.predicate))


def read_records(
    session: QuerySession, finder: Finder, columns: Columns, schema: pa.Schema, window: Window
) -> pa.Table:
    """Return what is wanted of a part of the range, in no order, with the columns of a schema.

    QueryError if records came meanwhile that have other columns than were there when the file began.
    """
    wanted = finder.wanted
    if wanted.is_everything:
        found = [table for table in session.all_rows(wanted.signal, window) if table.num_rows]
        return pa.concat_tables([schema.empty_table(), *(conformed(table, schema) for table in found)])
    records = finder.find(session, window)
    if not wanted.readable and set(session.columns(wanted.signal, window)).difference(columns.stored):
        raise QueryError(_NEW_COLUMNS)
    relation = records.relation(session, columns.stored)
    asked = statement("exporting/records", columns=columns.sql, relation=relation, where=records.predicate)
    return run(session, asked).cast(schema)


def conformed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows with the columns of a schema, null where they have none; QueryError if they have others."""
    if any(schema.get_field_index(name) < 0 for name in table.column_names):
        raise QueryError(_NEW_COLUMNS)
    return pa.table([_column(table, field) for field in schema], schema)


def _column(table: pa.Table, field: pa.Field) -> pa.ChunkedArray | pa.Array:
    place = table.schema.get_field_index(field.name)
    if place < 0:
        return pa.nulls(table.num_rows, field.type)
    column = table.column(place)
    if column.type == field.type:
        return column
    if field.type == _CODED and not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    return column.cast(field.type)


def _matching(session: QuerySession, wanted: Wanted, sets: KeptSets | None) -> Records:
    """What is wanted of the whole range."""
    if wanted.readable:
        return match_records(session, wanted.signal, wanted.window, wanted.filter_text, sets)
    known = session.columns(wanted.signal, wanted.window)
    found = compile_stored(session, wanted.signal, wanted.window, parse_filter(wanted.filter_text), known, sets=sets)
    predicate = Sql(found.sql, tuple(found.parameters))
    hints = found.require, found.trace_ids, found.values
    return Records(wanted.signal, wanted.window, predicate, found.columns, *hints, known)
