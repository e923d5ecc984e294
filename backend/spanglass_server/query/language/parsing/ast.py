"""The syntax tree of the filter language: what a filter means, apart from how it was written.

A tree is built by the server's parser and turned into SQL there; it knows no storage. ``column`` fields say where in
the text a node was written (1-based, 0 when it was not) and do not count when trees are compared.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator


class Operator(StrEnum):
    """How a field is compared; the value is the operator's text."""

    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_EQUAL = "<="
    GREATER = ">"
    GREATER_EQUAL = ">="
    MATCHES = "~"
    NOT_MATCHES = "!~"


class Relation(StrEnum):
    """How other spans of a trace stand to a span; the value is the word of the language."""

    CHILD = "child"
    DESCENDANT = "descendant"
    PARENT = "parent"
    ANCESTOR = "ancestor"
    SIBLING = "sibling"
    ROOT = "root"
    TRACE = "trace"


#: Operators that ask for an order.
ORDERED = frozenset({Operator.LESS, Operator.LESS_EQUAL, Operator.GREATER, Operator.GREATER_EQUAL})

#: Negative operators and what each is the exact complement of.
COMPLEMENTS = {Operator.NOT_EQUAL: Operator.EQUAL, Operator.NOT_MATCHES: Operator.MATCHES}
#: What holds for all other numbers.
OPPOSITES = {
    Operator.EQUAL: Operator.NOT_EQUAL,
    Operator.NOT_EQUAL: Operator.EQUAL,
    Operator.LESS: Operator.GREATER_EQUAL,
    Operator.LESS_EQUAL: Operator.GREATER,
    Operator.GREATER: Operator.LESS_EQUAL,
    Operator.GREATER_EQUAL: Operator.LESS,
}

#: Positions an attribute may be asked for in, of any signal: ``resource.service.name``.
POSITIONS = ("span", "log", "point", "resource", "scope", "event", "link", "exemplar")


@dataclass(frozen=True, slots=True)
class Field:
    """A key as written. A quoted name is an attribute's key to the letter, never an intrinsic field or a position.

    ``position`` is only set for a quoted name behind one: ``span."my key"``. In ``span.http.route`` the whole text is
    the name, because only a signal can tell whether ``span`` is one of its positions.
    """

    name: str
    quoted: bool = False
    position: str = ""
    column: int = dataclasses.field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Value:
    """A value as written. In a bare (unquoted) value ``*`` stands for any text."""

    text: str
    quoted: bool = False
    column: int = dataclasses.field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """``field operator value``."""

    field: Field
    operator: Operator
    value: Value
    column: int = dataclasses.field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class In:
    """``field in (values)``: equal to one of them."""

    field: Field
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Exists:
    """``field exists``: the record has it."""

    field: Field


@dataclass(frozen=True, slots=True)
class Text:
    """Free text, looked for in the record's texts, whatever the case."""

    value: Value


@dataclass(frozen=True, slots=True)
class Related:
    """``relation(term) operator count``: how many spans stand so to a span and match ``term``; one without a count."""

    relation: Relation
    term: Filter
    operator: Operator = Operator.GREATER_EQUAL
    count: int = 1
    column: int = dataclasses.field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """True where ``term`` is not: there is no third state."""

    term: Filter


@dataclass(frozen=True, slots=True)
class And:
    """All terms hold; no terms: everything matches (the empty filter)."""

    terms: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of the terms (two or more) holds."""

    terms: tuple[Filter, ...]


Filter: TypeAlias = Compare | In | Exists | Text | Related | Not | And | Or

#: The filter that lets everything through.
EVERYTHING = And(())


def fields_of(tree: Filter) -> Iterator[Field]:
    """Yield the fields that a filter names, in the order in which they are written."""
    match tree:
        case And(terms) | Or(terms):
            for term in terms:
                yield from fields_of(term)
        case Not(term) | Related(term=term):
            yield from fields_of(term)
        case Compare(field) | In(field) | Exists(field):
            yield field
