"""Saved views in the file: listed, saved, changed, deleted."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from spanglass_server.saved.model import (
    MOST_IN_NAVIGATION,
    MOST_VIEWS,
    KeptView,
    SavedError,
    TakenError,
    UnknownViewError,
    View,
    checked,
)
from spanglass_server.store.sqlite_file import Kept, read_sql

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from spanglass_server.store.sqlite_file import SqliteFile

_COLUMNS = "id, name, url, owner, shared, pinned, is_default, created_ns, changed_ns"


class Views:
    """Methods may be called from any thread. A change is durable when it returns; ``OSError`` if it can't be."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file
        self._kept = Kept(file, _read)

    def all(self) -> Sequence[KeptView]:
        """All views by their names; read anew only after a change, for every page asks."""
        return self._kept.now()

    def seen_by(self, owner: str) -> list[KeptView]:
        """Views that a reader sees: the shared ones, and their own."""
        return [one for one in self.all() if one.view.shared or one.view.owner == owner]

    def one(self, view: int) -> KeptView:
        """One of them; ``UnknownViewError``."""
        found = next((one for one in self.all() if one.id == view), None)
        if found is None:
            raise UnknownViewError(f"there is no view {view}")
        return found

    def save(self, view: View, now_ns: int) -> int:
        """Keep a view; returns its id. ``SavedError`` for one that can't be, ``TakenError`` where its name is taken."""
        with self._changing(checked(view)) as connection:
            if connection.execute("SELECT count(*) FROM views").fetchone()[0] >= MOST_VIEWS:
                raise SavedError(f"{MOST_VIEWS} views are kept already", "name", "delete some that nobody needs")
            _room(connection, view, 0)
            (found,) = connection.execute(read_sql(__package__, "insert_view"), _values(view, now_ns)).fetchone()
            _only_default(connection, view, found)
        return int(found)

    def change(self, view: int, changes: Mapping[str, Any], now_ns: int) -> None:
        """Change fields of a view; ``UnknownViewError``, and errors as those of ``save``."""
        before = self.one(view).view
        changed = checked(replace(before, **changes))
        with self._changing(changed) as connection:
            if _place(changed) != _place(before):
                _room(connection, changed, view)
            values = {**_values(changed, now_ns), "id": view}
            if not connection.execute(read_sql(__package__, "update_view"), values).rowcount:
                raise UnknownViewError(f"there is no view {view}")
            _only_default(connection, changed, view)

    def delete(self, view: int) -> None:
        """Forget a view; ``UnknownViewError``."""
        with self._file.write() as connection:
            if not connection.execute("DELETE FROM views WHERE id = ?", (view,)).rowcount:
                raise UnknownViewError(f"there is no view {view}")

    @contextmanager
    def _changing(self, view: View) -> Iterator[sqlite3.Connection]:
        """Return a connection that writes; a name that another view has is told as such."""
        try:
            with self._file.write() as connection:
                yield connection
        except OSError as error:
            if not isinstance(error.__cause__, sqlite3.IntegrityError):
                raise
            whose = "a shared view" if view.shared else f"a view of {view.owner}"
            hint = "take another name, or change that view"
            raise TakenError(f"{whose} has the name {view.name!r} already", "name", hint) from error


def _read(connection: sqlite3.Connection) -> Sequence[KeptView]:
    asked = f"SELECT {_COLUMNS} FROM views ORDER BY name, id"  # noqa: S608 - a constant
    return tuple(map(_view, connection.execute(asked)))


def _view(row: Sequence[Any]) -> KeptView:
    number, name, url, owner, shared, pinned, default, created_ns, changed_ns = row
    view = View(name, url, owner, shared=bool(shared), pinned=bool(pinned), default=bool(default))
    return KeptView(number, view, created_ns, changed_ns)


def _values(view: View, now_ns: int) -> dict[str, Any]:
    return {**asdict(view), "is_default": view.default, "page": view.page, "now_ns": now_ns}


def _room(connection: sqlite3.Connection, view: View, but: int) -> None:
    """Raise ``SavedError`` where the navigation of a reader is full who would see the view there."""
    if not view.pinned:
        return
    values = {"id": but, "shared": view.shared, "owner": view.owner}
    if connection.execute(read_sql(__package__, "fullest_navigation"), values).fetchone()[0] >= MOST_IN_NAVIGATION:
        whose = "a reader" if view.shared else view.owner
        hint = "take one of them out of the navigation first; a shared one counts for everybody"
        raise SavedError(f"{MOST_IN_NAVIGATION} views stand in the navigation of {whose} already", "pinned", hint)


def _place(view: View) -> tuple[bool, bool, str]:
    """In whose navigation a view stands."""
    return view.pinned, view.shared, view.owner


def _only_default(connection: sqlite3.Connection, view: View, number: int) -> None:
    if view.default:
        connection.execute(read_sql(__package__, "only_default"), {**_values(view, 0), "id": number})
