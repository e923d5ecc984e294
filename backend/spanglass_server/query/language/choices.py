"""Conditions that choose values of one key, joined to the rest by ``and``: ``key = a`` and ``key in (a, b)``.

They are what facets write. A facet's own counts leave its condition out: they say what else could be chosen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from spanglass_server.query.language.compiling.conditions import has_wildcard
from spanglass_server.query.language.intrinsics import INTRINSICS, SHORT_NAMES, Intrinsic
from spanglass_server.query.language.parsing.ast import EVERYTHING, And, Compare, Field, Filter, In, Operator, Value
from spanglass_server.query.semantic_conventions.semconv import aliases
from spanglass_server.signals import POSITIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.signals import Signal

Choice: TypeAlias = Compare | In


def choice_of(tree: Filter, field: Field, signal: Signal) -> Choice | None:
    """Return the first condition that chooses values of a field, under any of its names; None without one."""
    wanted = _identity(field, signal)
    for term in tree.terms if isinstance(tree, And) else (tree,):
        match term:
            case Compare(own, Operator.EQUAL, value) if not has_wildcard(value) and _identity(own, signal) == wanted:
                return term
            case In(own) if _identity(own, signal) == wanted:
                return term
    return None


def values_of(choice: Choice) -> tuple[Value, ...]:
    """Return the values that a condition chooses."""
    return choice.values if isinstance(choice, In) else (choice.value,)


def of_values(field: Field, values: Sequence[Value]) -> Choice | None:
    """Make the condition that chooses values; None for no values."""
    if len(values) > 1:
        return In(field, tuple(values))
    return Compare(field, Operator.EQUAL, values[0]) if values else None


def with_choice(tree: Filter, choice: Choice, other: Choice | None) -> Filter:
    """Put another condition, or none, in the place of one."""
    if not isinstance(tree, And):
        return other or EVERYTHING
    terms = [other if term is choice else term for term in tree.terms]
    kept = tuple(term for term in terms if term is not None)
    return kept[0] if len(kept) == 1 else And(kept)


def _identity(field: Field, signal: Signal) -> Intrinsic | str:
    """Return what names of one field have in common. Positions do not count: a facet counts all of them."""
    if not field.quoted and field.name in SHORT_NAMES:
        field = replace(field, name=SHORT_NAMES[field.name])
    intrinsic = None if field.quoted else INTRINSICS[signal].get(field.name)
    if intrinsic is not None:
        return intrinsic
    position, _, key = field.name.partition(".")
    is_positioned = not field.quoted and bool(key) and position in POSITIONS[signal]
    return aliases(key if is_positioned else field.name)[0]
