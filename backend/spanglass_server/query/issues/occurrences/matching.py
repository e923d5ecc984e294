"""Which occurrences a question is about: a filter over occurrences, their issues, and the records that tell of them.

Each condition becomes one over stored occurrences: of a field of issues through the issue's keys, of an attribute
through the span or log record that tells of the exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.issues.states import State
from spanglass_server.query.errors import FilterError
from spanglass_server.query.language import compile_filter, parse_filter
from spanglass_server.query.language.compiling.conditions import Contains, Equals, Matches, Ordered, scalar_condition
from spanglass_server.query.language.compiling.regex import check_regex
from spanglass_server.query.language.compiling.sql import Sql, all_of, any_of, negated
from spanglass_server.query.language.intrinsics import INTRINSICS
from spanglass_server.query.language.parsing.ast import (
    COMPLEMENTS,
    And,
    Compare,
    Exists,
    In,
    Not,
    Operator,
    Or,
    Related,
    Text,
)
from spanglass_server.query.statements import statement
from spanglass_server.query.window import widen
from spanglass_server.signals import Signal, ValueType
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Collection

    from spanglass_server.query.issues.known import Known
    from spanglass_server.query.language.compiling.conditions import Test
    from spanglass_server.query.language.parsing.ast import Field, Filter
    from spanglass_server.store.ports import QuerySession, Window

#: Fields of issues in filters: the columns of ``Known.table``.
ISSUE_FIELDS = {"state": "state", "assignee": "assignee", "title": "title", "issue": "id", "issue.id": "id"}
_OTHER_NAMES = {"service": "service_name"}
#: A span begins before its exception, and a log record may be told by another clock: so far around the range.
_RECORDS_AROUND_NS = 3_600 * NS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Occurrences:
    """A question made ready for storage: ``predicate`` holds for its occurrences, apart from the range."""

    window: Window
    predicate: Sql
    columns: frozenset[str]

    def relation(self, session: QuerySession, columns: Collection[str]) -> Sql:
        """Return the stored rows that may match, with these columns and those of the predicate."""
        needed = sorted({"time_ns", *columns, *self.columns})
        return Sql(session.relation(Signal.OCCURRENCES, self.window, needed))


def match_occurrences(
    session: QuerySession, known: Known, window: Window, filter_text: str = "", service: str | None = None
) -> Occurrences:
    """Make a question ready; FilterError for a filter that can't be understood."""
    compiler = _Compiler(session, known, window, set())
    terms = [compiler.compile(parse_filter(filter_text))] if filter_text.strip() else []
    if service is not None:
        terms.append(Sql("service_name = ?", (service,)))
        compiler.columns.add("service_name")
    return Occurrences(window, all_of(terms), frozenset(compiler.columns))


@dataclass(frozen=True, slots=True)
class _Compiler:
    session: QuerySession
    known: Known
    window: Window
    columns: set[str]  # of occurrences, that the conditions so far read

    def compile(self, node: Filter) -> Sql:
        match node:
            case And(terms):
                return all_of([self.compile(term) for term in terms])
            case Or(terms):
                return any_of([self.compile(term) for term in terms])
            case Not(term):
                return negated(self.compile(term))
            case Text(value):
                in_title = self._of_issue(scalar_condition("title", ValueType.STR, Contains(value)))
                return any_of([self._of_occurrence(node), in_title])
            case Related():  # an error
                return self._of_occurrence(node)
            case Compare(field) | In(field) | Exists(field):
                return self._condition(node, field)

    def _condition(self, node: Compare | In | Exists, field: Field) -> Sql:
        if field.quoted:
            return self._of_record(node)
        if field.name in ISSUE_FIELDS:
            return self._of_issue(issue_condition(node, field))
        if field.name in INTRINSICS[Signal.OCCURRENCES] or field.name in _OTHER_NAMES:
            return self._of_occurrence(node)
        return self._of_record(node)

    def _of_occurrence(self, node: Filter) -> Sql:
        compiled = compile_filter(renamed(node), Signal.OCCURRENCES, ())
        self.columns.update(compiled.columns)
        return Sql(compiled.sql, tuple(compiled.parameters))

    def _of_issue(self, condition: Sql) -> Sql:
        self.columns.add("issue_key")
        return statement("issues/keys_where", issues=self.known.table, condition=condition)

    def _of_record(self, node: Compare | In | Exists) -> Sql:
        """Write that the record that tells of the exception matches; what is negated there is so of occurrences."""
        if isinstance(node, Compare) and node.operator in COMPLEMENTS:
            return negated(self._of_record(Compare(node.field, COMPLEMENTS[node.operator], node.value, node.column)))
        self.columns.update(("source", "trace_id", "span_id", "record_order"))
        window = widen(self.window, _RECORDS_AROUND_NS)
        parts: list[Sql] = []
        for signal, name, needed in (
            (Signal.SPANS, "issues/told_by_spans", ("trace_id", "span_id")),
            (Signal.LOGS, "issues/told_by_logs", ("arrival_order",)),
        ):
            try:
                compiled = compile_filter(node, signal, self.session.columns(signal, window))
            except FilterError:  # a position or field of the other signal
                if signal is Signal.LOGS and not parts:
                    raise
                continue
            columns = {*needed, *compiled.columns}
            relation = Sql(self.session.relation(signal, window, columns, require=compiled.require))
            parts.append(statement(name, relation=relation, where=Sql(compiled.sql, tuple(compiled.parameters))))
        return any_of(parts)


def renamed(node: Filter) -> Filter:
    """Write the short name of a service as the column of occurrences."""
    match node:
        case Compare(field, operator, value, column) if field.name in _OTHER_NAMES:
            return Compare(_column(field), operator, value, column)
        case In(field, values) if field.name in _OTHER_NAMES:
            return In(_column(field), values)
        case Exists(field) if field.name in _OTHER_NAMES:
            return Exists(_column(field))
        case _:
            return node


def _column(field: Field) -> Field:
    return type(field)(_OTHER_NAMES[field.name], column=field.column)


def issue_condition(node: Compare | In | Exists, field: Field) -> Sql:
    """Write a condition on one of ``ISSUE_FIELDS`` over its column."""
    column = ISSUE_FIELDS[field.name]
    match node:
        case Exists():
            return Sql(f"{column} <> ''")
        case In(_, values):
            return _tested(column, Equals(values, field.name))
        case Compare(_, operator, value):
            if operator in COMPLEMENTS:
                return negated(issue_condition(Compare(field, COMPLEMENTS[operator], value, node.column), field))
            if operator is Operator.EQUAL:
                return _tested(column, Equals((value,), field.name))
            if operator is Operator.MATCHES:
                check_regex(value)
                return _tested(column, Matches(value.text))
            return _tested(column, Ordered(operator, value, field.name))


def _tested(column: str, test: Test) -> Sql:
    if column == "state" and isinstance(test, Equals):
        _check_states(test)
    return scalar_condition(column, ValueType.STR, test)


def _check_states(test: Equals) -> None:
    for value in test.values:
        if value.text not in set(State) and "*" not in value.text:
            raise FilterError(f"{value.text!r} is no state of issues", value.column, tuple(State))
