"""Conditions about the other spans of a trace: what they mean, and what compiling asks of storage for them."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Protocol

from spanglass_server.query.errors import FilterError
from spanglass_server.query.language.intrinsics import Intrinsic, Kind
from spanglass_server.query.language.parsing.ast import (
    COMPLEMENTS,
    EVERYTHING,
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
    Relation,
)
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from lark import Token

    from spanglass_server.query.language.compiling.parts import Part
    from spanglass_server.query.language.compiling.sql import Sql
    from spanglass_server.query.language.parsing.ast import Value

#: Relations that a record has by its trace alone, as log records do.
OF_TRACE = frozenset({Relation.ROOT, Relation.TRACE})

#: Figures of a whole trace; a condition on one is SQL over a column of that name.
TRACE_FIGURES = {
    "trace.duration": Intrinsic(Kind.DURATION, ("duration_ns",)),
    "trace.spans": Intrinsic(Kind.NUMBER, ("spans",)),
    "trace.errors": Intrinsic(Kind.NUMBER, ("errors",)),
}

#: The services of all spans of a trace.
TRACE_SERVICES = "trace.services"

#: Fields that are not a record's own but its trace's.
TRACE_FIELDS = (*TRACE_FIGURES, TRACE_SERVICES)

#: Signals whose records belong to traces.
IN_TRACES = frozenset({Signal.SPANS, Signal.LOGS})

_COUNTED = tuple(operator.value for operator in Operator if operator not in (Operator.MATCHES, Operator.NOT_MATCHES))
_MOST = 10**9

#: What compares numbers of spans.
COMPARED: dict[Operator, Callable[[Any, int], Any]] = {
    Operator.EQUAL: operator.eq,
    Operator.NOT_EQUAL: operator.ne,
    Operator.LESS: operator.lt,
    Operator.LESS_EQUAL: operator.le,
    Operator.GREATER: operator.gt,
    Operator.GREATER_EQUAL: operator.ge,
}


class Relatives(Protocol):
    """What storage knows of the spans around some records, for records of one range."""

    def related(self, node: Related) -> Part:
        """The condition that as many spans of the record's trace stand so to it and match as are asked for."""

    def of_trace(self, figure: str, condition: Sql) -> Part:
        """The condition that a figure of the record's trace, one of ``TRACE_FIGURES``, is as a condition says."""


def is_trace_field(field: Field, signal: Signal) -> bool:
    """Whether a field is one of the trace; in quotes it is an attribute that is called so."""
    return not field.quoted and field.name in TRACE_FIELDS and signal in IN_TRACES


def asks_about_others(tree: Filter, signal: Signal) -> bool:
    """Whether a filter cannot be decided by a record alone."""
    match tree:
        case Related():
            return True
        case And(terms) | Or(terms):
            return any(asks_about_others(term, signal) for term in terms)
        case Not(term):
            return asks_about_others(term, signal)
        case Compare(field) | In(field) | Exists(field):
            return is_trace_field(field, signal)
        case _:
            return False


def of_any_span(node: Compare | In | Exists) -> Filter:
    """``trace.services = a`` as what it says: some span of the trace is of that service."""
    service = Field("service", column=node.field.column)
    match node:
        case Compare(_, operator, value, column) if operator in COMPLEMENTS:
            return Not(Related(Relation.TRACE, Compare(service, COMPLEMENTS[operator], value, column), column=column))
        case Compare(_, operator, value, column):
            return Related(Relation.TRACE, Compare(service, operator, value, column), column=column)
        case In(_, values):
            return Related(Relation.TRACE, In(service, values), column=node.field.column)
        case Exists():
            return EVERYTHING


def holds_for_none(compares: Operator, count: int) -> bool:
    """Whether a record without any such spans is meant too."""
    return bool(COMPARED[compares](0, count))


def check_count(relation: Relation, operator: Operator, sign: Token, value: Value) -> int:
    """Read how many spans are asked for: a whole number, not negative; FilterError for all else."""
    if operator.value not in _COUNTED:
        message = f"{operator} does not work with {relation}(), which is a number of spans"
        raise FilterError(message, (sign.start_pos or 0) + 1, _COUNTED, f"for example {relation}(status:error) >= 3")
    if not (value.text.isascii() and value.text.isdigit()) or int(value.text) > _MOST:
        hint = f"write a whole number, as in {relation}(status:error) >= 3"
        raise FilterError(f"{value.text!r} is no number of spans", value.column, ("a whole number",), hint)
    return int(value.text)


def check_relation(node: Related, signal: Signal) -> None:
    """Refuse a relation that records of a signal do not have."""
    allowed = tuple(Relation) if signal is Signal.SPANS else tuple(OF_TRACE) if signal in IN_TRACES else ()
    if node.relation in allowed:
        return
    words = tuple(f"{word}(" for word in sorted(allowed))
    hint = f"of {signal} ask {' or '.join(word + '...)' for word in words)}" if words else "search spans with it"
    raise FilterError(f"{signal} have no {node.relation}()", node.column, words, hint)
