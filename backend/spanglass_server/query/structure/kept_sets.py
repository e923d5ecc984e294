"""Sets of spans and traces that are looked for once, and kept for questions about one part of a range after another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.statements import run, statement

if TYPE_CHECKING:
    import pyarrow as pa

    from spanglass_server.store.ports import QuerySession

#: Ids of a set that are kept: 70 MB of those of spans.
MOST_IDS: Final = 2_000_000


@dataclass(slots=True)
class KeptSets:
    """The sets of one filter, in the order in which they stand in it. ``are_all`` until one of them was too large."""

    are_all: bool = True
    _tables: list[pa.Table] = field(default_factory=list)

    def keep(self, session: QuerySession, found: Sql) -> Sql:
        """Look for a set, and return SQL that reads what was found; the set as it was if it is too large."""
        if not self.are_all:
            return found
        table = run(session, statement("structure/distinct", found=found, count=MOST_IDS + 1))
        if table.num_rows > MOST_IDS:
            self.are_all = False
            self._tables.clear()
            return found
        self._tables.append(table)
        return Sql(f"SELECT * FROM {_name(len(self._tables) - 1)}")  # noqa: S608 - a name of our own

    def read(self, session: QuerySession, predicate: Sql) -> Sql:
        """Return a predicate over these sets for a session."""
        text = predicate.text
        for place, table in enumerate(self._tables):
            text = text.replace(_name(place), session.table(table))
        return Sql(text, predicate.parameters)


def _name(place: int) -> str:
    """What stands for a set; no other begins with it."""
    return f"kept_set_{place}_"
