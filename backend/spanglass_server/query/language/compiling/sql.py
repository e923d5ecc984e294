"""Pieces of SQL that carry their own parameters, so that text and parameters can't drift apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Sql:
    """A boolean SQL expression with ``?`` for each parameter, in order."""

    text: str
    parameters: tuple[Any, ...] = ()


FALSE = Sql("false")
TRUE = Sql("true")


def any_of(parts: Sequence[Sql]) -> Sql:
    """Join conditions with OR; none of them makes ``false``."""
    return _join([part for part in parts if part is not FALSE], " OR ", FALSE)


def all_of(parts: Sequence[Sql]) -> Sql:
    """Join conditions with AND; none of them makes ``true``."""
    return _join([part for part in parts if part is not TRUE], " AND ", TRUE)


def union_all(selects: Sequence[Sql]) -> Sql:
    """All rows of some statements, of which there is at least one."""
    parameters = tuple(value for select in selects for value in select.parameters)
    return Sql(" UNION ALL ".join(f"({select.text})" for select in selects), parameters)


def negated(part: Sql) -> Sql:
    """Turn a condition into its exact complement: null, the answer of rows that lack the field, becomes true."""
    return Sql(f"({part.text}) IS NOT TRUE", part.parameters)


def _join(parts: Sequence[Sql], word: str, nothing: Sql) -> Sql:
    if not parts:
        return nothing
    if len(parts) == 1:
        return parts[0]
    text = word.join(f"({part.text})" for part in parts)
    return Sql(text, tuple(parameter for part in parts for parameter in part.parameters))
