"""Predicates that only compare columns with values, taken apart.

What is read is the SQL that would be run otherwise, so both mean the same. Anything that is not written exactly so is
left to SQL: other functions and operators, lists, numbers with a fraction, text in an order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from spanglass_server.signals import Signal, sql_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spanglass_server.query.language.compiling.sql import Sql

_TERM = re.compile(r'("(?:[^"]|"")+"|[a-z_]+) (=|<=|<|>=|>|IN) (\?|\((?:\?, )*\?\))')
_QUOTED_OR_BRACKET = re.compile(r"""("(?:[^"]|"")*"|'(?:[^']|'')*')|[()]""")
_INTEGERS = frozenset({"UTINYINT", "UINTEGER", "BIGINT"})
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class Term:
    """A stored column compared with a value, or equal to one of several; true of no row where it is null."""

    column: str
    operator: str  # one of = < <= > >=
    values: tuple[str | int, ...]

    @property
    def is_text(self) -> bool:
        """Whether texts are compared."""
        return isinstance(self.values[0], str)


def terms_of(predicate: Sql, signal: Signal) -> list[Term] | None:
    """Terms that all have to hold for a predicate over a signal's columns; None if it is not made of such terms."""
    if predicate.text == "true":
        return []
    found = _conjuncts(predicate.text)
    parameters = iter(predicate.parameters)
    terms = [] if found is None else [_term(part, parameters, signal) for part in found]
    return [term for term in terms if term is not None] if terms and None not in terms else None


def _conjuncts(text: str) -> list[re.Match[str]] | None:
    """The terms that ``AND`` joins, in their order; None if something else is among them."""
    term = _TERM.fullmatch(text)
    if term is not None:
        return [term]
    inner = list(_in_brackets(text))
    if text != " AND ".join(f"({part})" for part in inner):
        return None
    found = [_conjuncts(part) for part in inner]
    return list(chain.from_iterable(part for part in found if part)) if all(found) else None


def _in_brackets(text: str) -> Iterator[str]:
    """What stands in the outermost brackets."""
    depth = begin = 0
    for match in _QUOTED_OR_BRACKET.finditer(text):
        if match[1] is not None:
            continue
        if match[0] == "(":
            depth += 1
            begin = match.end() if depth == 1 else begin
        else:
            depth -= 1
            if depth == 0:
                yield text[begin : match.start()]


def _term(written: re.Match[str], parameters: Iterator[Any], signal: Signal) -> Term | None:
    column, operator, marks = written.groups()
    name = column[1:-1].replace('""', '"') if column.startswith('"') else column
    values = tuple(islice(parameters, marks.count("?")))
    operator = "=" if operator == "IN" else operator
    return Term(name, operator, values) if _are_comparable(sql_type(signal, name), operator, values) else None


def _are_comparable(kind: str, operator: str, values: Sequence[Any]) -> bool:
    if kind == "VARCHAR":
        return operator == "=" and all(isinstance(value, str) for value in values)
    return kind in _INTEGERS and all(type(value) is int and value in _INT64 for value in values)
