"""Which records of any signal a question is about: its range and filter as one predicate over stored columns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.language import FilterError, field_expression, parse_filter
from spanglass_server.query.language.compiling.sql import Sql, all_of
from spanglass_server.query.own_events import without_own_events
from spanglass_server.query.structure.compiling import compile_stored
from spanglass_server.signals import TIME_COLUMN, Signal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from spanglass_server.query.structure.kept_sets import KeptSets
    from spanglass_server.store.ports import ColumnValue, QuerySession, Window


@dataclass(frozen=True, slots=True)
class Records:
    """A question made ready for storage: ``predicate`` holds for its records, apart from the range.

    ``known`` are the attribute columns of the window, for other keys of the question.
    """

    signal: Signal
    window: Window
    predicate: Sql
    columns: frozenset[str]
    require: frozenset[str]
    trace_ids: frozenset[bytes]
    values: tuple[frozenset[ColumnValue], ...]
    known: Mapping[str, int] = field(repr=False)

    @property
    def time(self) -> str:
        """The column that orders the signal in time."""
        return TIME_COLUMN[self.signal]

    def relation(self, session: QuerySession, columns: Collection[str]) -> Sql:
        """Return the stored rows that may match, with these columns and those of the predicate."""
        needed = {self.time, *columns, *self.columns}
        relation = session.relation(
            *(self.signal, self.window, sorted(needed)),
            require=self.require,
            trace_ids=self.trace_ids,
            values=self.values,
        )
        return Sql(relation)

    def narrowed(self, window: Window) -> Records:
        """Ask the same about another range."""
        return replace(self, window=window)

    def restricted(self, condition: Sql, *columns: str) -> Records:
        """Ask for those of which a condition over these fixed columns holds too."""
        return replace(self, predicate=all_of([self.predicate, condition]), columns=self.columns.union(columns))

    def expression(self, key: str, parameter: str) -> tuple[Sql, frozenset[str]]:
        """Return the SQL of a key's value and the columns it reads; an error in it is one of ``parameter``."""
        try:
            text, columns = field_expression(key, self.signal, self.known)
        except FilterError as error:
            raise BadQuestionError(f"{key!r} is not a key: {error}", field=parameter, hint=error.hint) from error
        return Sql(text), columns


def match_records(
    session: QuerySession, signal: Signal, window: Window, filter_text: str = "", sets: KeptSets | None = None
) -> Records:
    """Make a question ready; FilterError for a filter that can't be understood. ``sets`` as in ``compile_stored``.

    Events of our own side of applications are no log records to readers: only a filter that names them finds them.
    """
    known = session.columns(signal, window)
    tree = parse_filter(filter_text)
    compiled = compile_stored(session, signal, window, tree, known, sets=sets)
    predicate = [Sql(compiled.sql, tuple(compiled.parameters))] if filter_text.strip() else []
    hints = compiled.require, compiled.trace_ids, compiled.values
    records = Records(signal, window, all_of(predicate), compiled.columns, *hints, known)
    if signal is Signal.LOGS:
        for condition in without_own_events(known, [tree]):
            records = records.restricted(condition, "event_name")
    return records
