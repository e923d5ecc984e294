"""Compiled pieces of a filter, and how what is known of them survives ``and`` and ``or``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.query.language.sql import FALSE, Sql, all_of, any_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


@dataclass(frozen=True, slots=True)
class Part:
    """A condition with the stored columns it reads.

    ``require``: one of these columns must not be null for it to be true; None when nothing is known. ``trace_ids``:
    the row must have one of these ids; None when any may do.
    """

    sql: Sql
    columns: frozenset[str] = frozenset()
    require: frozenset[str] | None = None
    trace_ids: frozenset[bytes] | None = None


#: Never true, whatever the row.
NOTHING = Part(FALSE, frozenset(), frozenset(), frozenset())


def part_of_attribute(sql: Sql, column: str) -> Part:
    """Make the part of a test of one attribute's column, which is only true where the column is not null."""
    return NOTHING if sql is FALSE else Part(sql, frozenset((column,)), frozenset((column,)))


def either(parts: Sequence[Part]) -> Part:
    """Join with OR: what a row must have is what any of the parts asks for, if all of them ask."""
    parts = [part for part in parts if part.sql is not FALSE]
    if not parts:
        return NOTHING
    requires = [part.require for part in parts if part.require is not None]
    ids = [part.trace_ids for part in parts if part.trace_ids is not None]
    return Part(
        any_of([part.sql for part in parts]),
        frozenset().union(*(part.columns for part in parts)),
        frozenset().union(*requires) if len(requires) == len(parts) else None,
        frozenset().union(*ids) if len(ids) == len(parts) else None,
    )


def both(parts: Sequence[Part], columns: Collection[str]) -> Part:
    """Join with AND: one part's demand is enough, so the one that leaves out most rows is kept."""
    if any(part.sql is FALSE for part in parts):
        return NOTHING
    requires = [part.require for part in parts if part.require is not None]
    ids = [part.trace_ids for part in parts if part.trace_ids is not None]
    counts = columns if isinstance(columns, Mapping) else {}
    return Part(
        all_of([part.sql for part in parts]),
        frozenset().union(*(part.columns for part in parts)),
        min(requires, key=lambda names: sum(counts.get(name, 1) for name in names), default=None),
        min(ids, key=len, default=None),
    )
