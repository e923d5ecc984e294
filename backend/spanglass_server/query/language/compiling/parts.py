"""Compiled pieces of a filter, and how what is known of them survives ``and`` and ``or``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from spanglass_server.query.language.compiling.sql import FALSE, Sql, all_of, any_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from spanglass_server.store.ports import ColumnValue


@dataclass(frozen=True, slots=True)
class Part:
    """A condition with the stored columns it reads.

    ``require``: one of these columns must not be null for it to be true; None when nothing is known. ``trace_ids``:
    the row must have one of these ids; None when any may do. ``values``: the row must have one value of each of these
    sets, in its column.
    """

    sql: Sql
    columns: frozenset[str] = frozenset()
    require: frozenset[str] | None = None
    trace_ids: frozenset[bytes] | None = None
    values: tuple[frozenset[ColumnValue], ...] = ()


#: Never true, whatever the row.
NOTHING = Part(FALSE, frozenset(), frozenset(), frozenset())


def part_of_attribute(sql: Sql, column: str, values: Collection[ColumnValue] = ()) -> Part:
    """Make the part of a test of one attribute's column, which is only true where the column is not null.

    With ``values`` it is only true of one of these.
    """
    if sql is FALSE:
        return NOTHING
    return Part(sql, frozenset((column,)), frozenset((column,)), None, (frozenset(values),) if values else ())


def either(parts: Sequence[Part]) -> Part:
    """Join with OR: what a row must have is what any of the parts asks for, if all of them ask."""
    parts = [part for part in parts if part.sql is not FALSE]
    if not parts:
        return NOTHING
    requires = [part.require for part in parts if part.require is not None]
    ids = [part.trace_ids for part in parts if part.trace_ids is not None]
    values = [min(part.values, key=len) for part in parts if part.values]
    return Part(
        any_of([part.sql for part in parts]),
        frozenset().union(*(part.columns for part in parts)),
        frozenset().union(*requires) if len(requires) == len(parts) else None,
        frozenset().union(*ids) if len(ids) == len(parts) else None,
        (frozenset().union(*values),) if len(values) == len(parts) else (),
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
        tuple(dict.fromkeys(chain.from_iterable(part.values for part in parts))),
    )
