"""``is:pinned``: the records of traces that somebody has pinned. Which these are is known when a filter is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from spanglass_server.query.errors import FilterError
from spanglass_server.query.language.compiling.relations import IN_TRACES
from spanglass_server.query.language.parsing.ast import (
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
    Value,
    fields_of,
)
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

#: The key, and its one value.
IS, PINNED = "is", "pinned"
_OPERATORS: Final = (Operator.EQUAL, Operator.NOT_EQUAL)
_NEVER: Final = Or(())


def is_pin_field(field: Field, signal: Signal) -> bool:
    """Whether a field is the key of ``is:pinned``; in quotes it is an attribute that is called so."""
    return not field.quoted and field.name == IS and signal in IN_TRACES


def asks_for_pins(tree: Filter) -> bool:
    """Whether a filter of spans or log records says which traces are pinned."""
    return any(is_pin_field(field, Signal.SPANS) for field in fields_of(tree))


def with_pins(tree: Filter, signal: Signal, ids: Collection[str]) -> Filter:
    """Return a filter that says by ids in hex which traces are pinned; ``FilterError`` for what ``is`` can't be."""
    match tree:
        case And(terms):
            return And(tuple(with_pins(term, signal, ids) for term in terms))
        case Or(terms):
            return Or(tuple(with_pins(term, signal, ids) for term in terms))
        case Not(term):
            return Not(with_pins(term, signal, ids))
        case Related(_, term):
            return replace(tree, term=with_pins(term, Signal.SPANS, ids))
        case Compare(field) | In(field) | Exists(field) if is_pin_field(field, signal):
            return _pinned(tree, ids)
        case _:
            return tree


def _pinned(node: Compare | In | Exists, ids: Collection[str]) -> Filter:
    match node:
        case Compare(_, operator, value, column):
            if operator not in _OPERATORS:
                message = f"{operator} does not work with {IS}"
                raise FilterError(message, column, tuple(map(str, _OPERATORS)), f"write {IS}:{PINNED}")
            found = _one_of(ids, [value])
            return found if operator is Operator.EQUAL else Not(found)
        case In(_, values):
            return _one_of(ids, values)
        case Exists():
            return _one_of(ids, ())


def _one_of(ids: Collection[str], values: Sequence[Value]) -> Filter:
    for value in values:
        if value.text.lower() != PINNED:
            hint = f'write {IS}:{PINNED}; an attribute of that name is "{IS}", in quotes'
            raise FilterError(f"{IS} is never {value.text!r}", value.column, (PINNED,), hint)
    return In(Field("trace_id"), tuple(Value(each, quoted=True) for each in sorted(ids))) if ids else _NEVER
