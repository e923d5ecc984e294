"""Which spans a question is about: its range, filter and shorthands as one predicate over stored columns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from spanglass_server.query.kept_columns.terms import terms_of
from spanglass_server.query.language import parse_filter
from spanglass_server.query.language.compiling.relations import asks_about_others
from spanglass_server.query.language.compiling.service_sql import is_service
from spanglass_server.query.language.compiling.sql import FALSE, Sql, all_of
from spanglass_server.query.language.parsing.ast import Relation
from spanglass_server.query.structure.compiling import check_filter, compile_stored
from spanglass_server.query.structure.kept_candidates import candidates
from spanglass_server.query.structure.kept_extents import kept_at_least
from spanglass_server.query.structure.kept_filter import kept_filter
from spanglass_server.query.structure.relatives import Extent, reach
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from spanglass_server.query.kept_columns.terms import Term
    from spanglass_server.query.structure.kept_extents import Extents
    from spanglass_server.query.structure.kept_filter import KeptFilter
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
    #: Of a filter about other spans: the same question for parts of what is stored.
    parts: _Parts | None = field(default=None, repr=False)

    @property
    def terms(self) -> Sequence[Term] | None:
        """The predicate as comparisons of columns, all of which hold; None if it is more than that."""
        return terms_of(self.predicate, Signal.SPANS)

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
        return replace(self, window=window) if self.parts is None else self.parts.narrowed(window)

    def of_traces(self, trace_ids: Collection[bytes]) -> Matching:
        """Return the same question about some traces only; others may match too."""
        return self if self.parts is None else self.parts.of_traces(self.window, trace_ids)


def within(window: Window) -> Sql:
    """SQL condition: the span starts in the range."""
    return Sql("start_time_ns >= ? AND start_time_ns < ?", (window.start_ns, window.end_ns))


#: So many of the traces that can match are looked at together, and at most so many.
_FEW_AT_ONCE, _FEW = 32, 100
#: Parts that are looked at, each of which had something, before it is asked whether few traces can match; ...
_MOST_PARTS = 3
#: ... and small ones that are looked at in memory before SQL looks at large ones: 250 000 spans together.
_MOST_SMALL = 4


@dataclass
class _Parts:
    """A question with a filter about other spans, asked of one part of the range after another.

    Where many match, the first parts have enough. Only when one had nothing, or several had too little, all of the
    range is asked whether few traces can match: that reads as much as a search that finds nothing.
    """

    session: QuerySession
    question: SpanQuestion
    asked: int = 0
    found_some: bool = False  # whether the part before had something
    in_memory: bool = True  # whether all parts so far were looked at there
    asked_all: bool = False
    of_few: Matching | None = None  # the whole question, if only few traces can match
    asked_columns: bool = False
    possible: Extents | None = None  # the traces that can match, once that is known

    @cached_property
    def kept(self) -> KeptFilter | None:
        """The filter as comparisons of columns, of spans and of others; None if it asks for more than that."""
        known = self.session.columns(Signal.SPANS)
        return kept_filter(parse_filter(self.question.filter), known, _of_question(self.question)[0])

    @property
    def may_be_small(self) -> bool:
        """Whether a further small part is to be looked at, before large ones are."""
        if self.in_memory:
            return self.asked < _MOST_SMALL and self.of_few is None
        return self.asked < _MOST_PARTS and not self.asked_all

    @property
    def is_first(self) -> bool:
        """Whether the next part is one of the first: those are looked at in memory."""
        return not self.asked or (self.in_memory and self.may_be_small)

    def part_with_few(self, rest: Window, *, descending: bool) -> Window | None:
        """Where in a range the first few traces that can match have spans; None if nobody knows."""
        if self.possible is None and self.kept is not None and self.kept.figures:
            reached = reach(self.question.window, Relation.TRACE)
            self.possible = kept_at_least(self.session, reached, self.kept.figures)
        if self.possible is None and self.asked:
            self._ask_columns()
        found = self.possible
        return None if found is None else found.part_with(rest, _FEW_AT_ONCE, descending=descending)

    def few_in(self, part: Window) -> frozenset[bytes] | None:
        """Those of them that have spans in a part; None if they are many, or nobody knows."""
        inside = None if self.possible is None else self.possible.within(part)
        return None if inside is None or len(inside.rows) > _FEW else inside.trace_ids

    def narrowed(self, window: Window) -> Matching:
        """The question about a part of the range."""
        self.asked += 1
        self.in_memory = False
        if self.asked > 1 and (not self.found_some or self.asked > _MOST_PARTS):
            self.ask_all()
        if self.of_few is not None:
            return replace(self.of_few, window=window)
        return self.of_traces(window, (), Extent.SMALL if self.asked == 1 else Extent.LARGE)

    def ask_all(self) -> bool:
        """Ask of all of the range, once, whether few traces can match; returns whether they are few."""
        if self._ask_columns():
            return True
        if not self.asked_all:
            self.asked_all = True
            whole = _match(self.session, self.question, (), self, Extent.WHOLE)
            self.of_few = whole if whole.trace_ids or whole.predicate.text == FALSE.text else None
        return self.of_few is not None

    def _ask_columns(self) -> bool:
        """Ask columns that are kept, once, which traces can match; returns whether that is known."""
        if self.kept is not None and self.possible is None and not self.asked_columns:
            self.asked_columns = True
            self.possible = candidates(self.session, self.kept, self.question.window)
        return self.possible is not None

    def of_traces(self, window: Window, trace_ids: Collection[bytes], extent: Extent = Extent.LARGE) -> Matching:
        """The question about some traces only, all for none."""
        return _match(self.session, replace(self.question, window=window), trace_ids, self, extent)


def match_spans(session: QuerySession, question: SpanQuestion, *, in_parts: bool = False) -> Matching:
    """Make a question ready; FilterError for a filter that can't be understood.

    With ``in_parts`` it is for being narrowed to parts of its range: where it asks about other spans, nothing is looked
    for yet.
    """
    parts = _Parts(session, question)
    tree = parse_filter(question.filter)
    if not in_parts or not asks_about_others(tree, Signal.SPANS):
        return _match(session, question, (), parts, Extent.WHOLE)
    check_filter(tree, Signal.SPANS)
    nothing = frozenset[str]()
    known = session.columns(Signal.SPANS, question.window)
    return Matching(question.window, FALSE, nothing, nothing, frozenset(), (), known, parts)


def _match(
    session: QuerySession,
    question: SpanQuestion,
    trace_ids: Collection[bytes],
    parts: _Parts,
    extent: Extent,
) -> Matching:
    known = session.columns(Signal.SPANS, question.window)
    tree = parse_filter(question.filter)
    asked = session, Signal.SPANS, question.window, tree, known, trace_ids
    compiled = compile_stored(*asked, extent=extent, whole=parts.question.window)
    more, columns = _of_question(question)
    terms = [Sql(compiled.sql, tuple(compiled.parameters)), *more] if question.filter.strip() else more
    hints = compiled.require, compiled.trace_ids, compiled.values
    asks = asks_about_others(tree, Signal.SPANS)
    columns |= compiled.columns
    return Matching(question.window, all_of(terms), columns, *hints, known, parts if asks else None)


def _of_question(question: SpanQuestion) -> tuple[list[Sql], frozenset[str]]:
    """What a question asks of spans beside its filter, and the columns of that."""
    terms, columns = [], set[str]()
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
    return terms, frozenset(columns)
