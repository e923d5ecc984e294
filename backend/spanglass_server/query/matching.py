"""Which spans a question is about: its range, filter and shorthands as one predicate over stored columns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from spanglass_server.query.language import compile_filter, parse_filter
from spanglass_server.query.language.service_sql import is_service
from spanglass_server.query.language.sql import Sql, all_of
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from spanglass_server.store.ports import ColumnValue, QuerySession, Window


@dataclass(frozen=True, slots=True)
class SpanQuestion:
    """The spans that somebody asks for. Durations are inclusive, in nanoseconds."""

    window: Window
    filter: str = ""
    service: str | None = None
    operation: str | None = None
    min_duration_ns: int | None = None
    max_duration_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Matching:
    """A question made ready for storage: ``predicate`` holds for its spans, apart from the range."""

    window: Window
    predicate: Sql
    columns: frozenset[str]
    require: frozenset[str]
    trace_ids: frozenset[bytes]
    values: tuple[frozenset[ColumnValue], ...]
    known: Mapping[str, int] = field(repr=False)  # attribute columns of the window, for other keys of the question

    @property
    def where(self) -> Sql:
        """The predicate with the range."""
        return all_of([within(self.window), self.predicate])

    def relation(self, session: QuerySession, columns: Collection[str]) -> Sql:
        """Return the stored rows that may match, with these columns and those of the predicate."""
        needed = {"start_time_ns", *columns, *self.columns}
        relation = session.relation(
            *(Signal.SPANS, self.window, needed), require=self.require, trace_ids=self.trace_ids, values=self.values
        )
        return Sql(relation)

    def narrowed(self, window: Window) -> Matching:
        """Return the same question about another range."""
        return replace(self, window=window)


def within(window: Window) -> Sql:
    """SQL condition: the span starts in the range."""
    return Sql("start_time_ns >= ? AND start_time_ns < ?", (window.start_ns, window.end_ns))


def match_spans(session: QuerySession, question: SpanQuestion) -> Matching:
    """Make a question ready; FilterError for a filter that can't be understood."""
    known = session.columns(Signal.SPANS, question.window)
    compiled = compile_filter(parse_filter(question.filter), Signal.SPANS, known)
    terms = [Sql(compiled.sql, tuple(compiled.parameters))] if question.filter.strip() else []
    columns = set(compiled.columns)
    if question.service is not None:
        terms.append(is_service(question.service))
        columns.add(SERVICE)
    for column, operator, value in (
        ("name", "=", question.operation),
        ("duration_ns", ">=", question.min_duration_ns),
        ("duration_ns", "<=", question.max_duration_ns),
    ):
        if value is not None:
            terms.append(Sql(f"{column} {operator} ?", (value,)))
            columns.add(column)
    hints = compiled.require, compiled.trace_ids, compiled.values
    return Matching(question.window, all_of(terms), frozenset(columns), *hints, known)
