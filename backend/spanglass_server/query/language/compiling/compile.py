"""Syntax tree to SQL: where each field is looked for, what of it storage must read, and what it may skip."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.query.errors import FilterError
from spanglass_server.query.language.compiling.conditions import (
    Equals,
    Matches,
    Ordered,
    Test,
    equal_values,
    has_wildcard,
    list_condition,
    scalar_condition,
)
from spanglass_server.query.language.compiling.free_text import free_text
from spanglass_server.query.language.compiling.intrinsic_conditions import (
    Target,
    check_operator,
    intrinsic_condition,
    presence,
    trace_ids,
)
from spanglass_server.query.language.compiling.overflow import overflow_condition
from spanglass_server.query.language.compiling.parts import NOTHING, Part, both, either, part_of_attribute
from spanglass_server.query.language.compiling.paths import map_condition
from spanglass_server.query.language.compiling.pins import IS, PINNED, is_pin_field
from spanglass_server.query.language.compiling.regex import check_regex
from spanglass_server.query.language.compiling.relations import (
    TRACE_FIGURES,
    TRACE_SERVICES,
    check_relation,
    is_trace_field,
    of_any_span,
)
from spanglass_server.query.language.compiling.service_sql import IS_UNNAMED, SERVICE_NAME
from spanglass_server.query.language.compiling.sql import Sql, all_of, negated
from spanglass_server.query.language.fields import Resolved, resolve
from spanglass_server.query.language.parsing.ast import (
    COMPLEMENTS,
    And,
    Compare,
    Exists,
    Field,
    Filter,
    In,
    Not,
    Operator,
    Or,
    Related,
    Text,
)
from spanglass_server.service_names import SERVICE, UNKNOWN_SERVICE, service_name
from spanglass_server.signals import AttributeColumn, Signal, ValueType, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Collection

    from spanglass_server.query.language.compiling.relations import Relatives
    from spanglass_server.store.ports import ColumnValue


@dataclass(frozen=True, slots=True)
class CompiledFilter:
    """A filter as a boolean SQL expression over the columns of one signal, and what storage can make of it.

    ``parameters`` bind the ``?`` of ``sql`` in order. ``columns`` are all stored columns it reads. If ``require`` is
    not empty, a row can only match when at least one of those columns is not null. If ``trace_ids`` is not empty, a
    row can only match when it has one of those ids; and it must have one value of each set of ``values``.
    """

    sql: str
    parameters: list[Any]
    columns: frozenset[str]
    require: frozenset[str]
    trace_ids: frozenset[bytes]
    values: tuple[frozenset[ColumnValue], ...] = ()


def compile_filter(
    ast: Filter, signal: Signal, columns: Collection[str], relatives: Relatives | None = None
) -> CompiledFilter:
    """Compile a filter for one signal, given the names of its stored attribute columns.

    With a mapping of columns to row counts, ``require`` picks the rarest. Fields that have no column match nothing.
    Conditions about other spans of a trace need ``relatives``; without, they are an error.
    Raises ``FilterError`` where a value or an operator does not suit its field, or a regular expression is not RE2.
    """
    known = columns if isinstance(columns, AbstractSet | Mapping) else frozenset(columns)
    part = _Compiler(signal, known, relatives).compile(ast)
    return CompiledFilter(
        sql=part.sql.text,
        parameters=list(part.sql.parameters),
        columns=part.columns,
        require=part.require or frozenset(),
        trace_ids=part.trace_ids or frozenset(),
        values=part.values,
    )


@dataclass(frozen=True, slots=True)
class _Compiler:
    signal: Signal
    columns: Collection[str]
    relatives: Relatives | None

    def compile(self, node: Filter) -> Part:
        match node:
            case And(terms):
                return both([self.compile(term) for term in terms], self.columns)
            case Or(terms):
                return either([self.compile(term) for term in terms])
            case Not(term):
                part = self.compile(term)
                return Part(negated(part.sql), part.columns)
            case _:
                return self._condition(node)

    def _condition(self, node: Compare | In | Exists | Text | Related) -> Part:
        match node:
            case Related():
                check_relation(node, self.signal)
                return self._others(f"{node.relation}()", node.column).related(node)
            case Compare(field) | In(field) | Exists(field) if is_pin_field(field, self.signal):
                hint = "searches of traces, spans and logs know which traces are pinned"
                raise FilterError(f"{IS}:{PINNED} cannot be asked here", field.column, (), hint)
            case Compare(field) | In(field) | Exists(field) if self._is_of_trace(field):
                return self._of_trace(node)
            case Compare():
                return self._compare(node)
            case In(field, values):
                return self._test(field, Operator.EQUAL, Equals(values, field.name), field.column)
            case Exists(field):
                return self._exists(field)
            case Text(value):
                return free_text(value, self.signal, self.columns)

    def _is_of_trace(self, field: Field) -> bool:
        return is_trace_field(field, self.signal)

    def _others(self, asked: str, column: int) -> Relatives:
        if self.relatives is None:
            hint = "it asks about other spans of the trace; searches of traces, spans and logs do"
            raise FilterError(f"{asked} cannot be asked here", column, (), hint)
        return self.relatives

    def _of_trace(self, node: Compare | In | Exists) -> Part:
        """Compile a condition on a field of the whole trace."""
        field = node.field
        if field.name == TRACE_SERVICES or isinstance(node, Exists):
            return self.compile(of_any_span(node))
        if isinstance(node, Compare) and node.operator in COMPLEMENTS:
            return self._compare(node)
        column = node.column if isinstance(node, Compare) else field.column
        operator = node.operator if isinstance(node, Compare) else Operator.EQUAL
        target = Target(field.name, TRACE_FIGURES[field.name], self.signal, column)
        check_operator(target, operator)
        test = Equals(node.values, field.name) if isinstance(node, In) else _test_of(node)
        return self._others(field.name, field.column).of_trace(field.name, intrinsic_condition(target, test))

    def _compare(self, node: Compare) -> Part:
        if node.operator in COMPLEMENTS:
            positive = Compare(node.field, COMPLEMENTS[node.operator], node.value, node.column)
            # Checked before it is turned around, so that an error names the operator that was written.
            self._check(node.field, node.operator, node.column)
            return self.compile(Not(positive))
        return self._test(node.field, node.operator, _test_of(node), node.column)

    def _check(self, field: Field, operator: Operator, column: int) -> Resolved:
        if self._is_of_trace(field):
            check_operator(Target(field.name, TRACE_FIGURES[field.name], self.signal, column), operator)
        resolved = resolve(field, self.signal, self.columns)
        if resolved.intrinsic is not None:
            check_operator(Target(field.name, resolved.intrinsic, self.signal, column), operator)
        return resolved

    def _test(self, field: Field, operator: Operator, test: Test, column: int) -> Part:
        resolved = self._check(field, operator, column)
        if resolved.intrinsic is None:
            test = _with_key(test, resolved.key)
        parts = [_attribute(stored, test) for stored in resolved.columns]
        parts += [map_condition(path, test) for path in resolved.maps]
        if resolved.overflow:
            parts.append(overflow_condition(resolved.overflow, test))
        if resolved.names_service and not _is_presence(test):
            parts.append(_unnamed_service(test))
        if resolved.intrinsic is not None:
            if _is_presence(test):
                return self._exists(field)
            target = Target(field.name, resolved.intrinsic, self.signal, column)
            sql = intrinsic_condition(target, test)
            ids = trace_ids(test) if resolved.intrinsic.columns == ("trace_id",) else None
            parts.insert(0, Part(sql, frozenset(resolved.intrinsic.columns), None, ids or None))
        return either(parts)

    def _exists(self, field: Field) -> Part:
        resolved = resolve(field, self.signal, self.columns)
        parts = [_attribute_exists(stored) for stored in resolved.columns]
        parts += [map_condition(path, None) for path in resolved.maps]
        if resolved.overflow:
            parts.append(overflow_condition(resolved.overflow, None))
        if resolved.intrinsic is not None:
            parts.append(Part(presence(resolved.intrinsic), frozenset(resolved.intrinsic.columns)))
        return either(parts)


def _test_of(node: Compare) -> Test:
    if node.operator is Operator.EQUAL:
        return Equals((node.value,), node.field.name)
    if node.operator is Operator.MATCHES:
        check_regex(node.value)
        return Matches(node.value.text)
    return Ordered(node.operator, node.value, node.field.name)


def _with_key(test: Test, key: str) -> Test:
    match test:
        case Equals(values):
            return Equals(values, key)
        case Ordered(operator, value):
            return Ordered(operator, value, key)
        case _:
            return test


def _is_presence(test: Test) -> bool:
    """Return whether a test is ``= *``, which asks only that there is a value."""
    return isinstance(test, Equals) and all(has_wildcard(v) and not v.text.strip("*") for v in test.values)


def _unnamed_service(test: Test) -> Part:
    """Test the name of services that have none; a row without any name may match."""
    if isinstance(test, Equals) and not any(map(has_wildcard, test.values)):
        is_meant = UNKNOWN_SERVICE in map(service_name, test.texts())
        return Part(Sql(f"({IS_UNNAMED})"), frozenset((SERVICE,))) if is_meant else NOTHING
    sql = scalar_condition(f"({SERVICE_NAME.text})", ValueType.STR, test)
    return Part(all_of([Sql(f"({IS_UNNAMED})"), sql]), frozenset((SERVICE,)))


def _attribute(stored: AttributeColumn, test: Test) -> Part:
    condition = list_condition if stored.is_list else scalar_condition
    sql = condition(quote_identifier(stored.name), stored.type, test)
    return part_of_attribute(sql, stored.name, [(stored.name, value) for value in equal_values(stored.type, test)])


def _attribute_exists(stored: AttributeColumn) -> Part:
    name = quote_identifier(stored.name)
    # A row with two events has a list of two as soon as one of them has the key.
    text = f"{name} IS NOT NULL AND list_count({name}) > 0" if stored.is_list else f"{name} IS NOT NULL"
    return part_of_attribute(Sql(text), stored.name)
