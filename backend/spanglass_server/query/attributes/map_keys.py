"""Keys within maps, for completion: learned from a few of the maps there are, of bodies those in JSON too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from spanglass_server.query.language.compiling.paths import BODY_MAY_BE_MAP
from spanglass_server.query.language.compiling.sql import TRUE, Sql
from spanglass_server.query.language.parsing.text import BARE_WORD
from spanglass_server.query.rows.map_leaves import is_escape, map_leaves
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.window import clamp
from spanglass_server.signals import AttributeColumn, Signal, ValueType, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from spanglass_server.store.ports import QuerySession, Window

_SAMPLE = 100  # values of a column that are looked at
_NEWEST_TEXTS = 20_000  # bodies among which JSON texts are looked for: 15 ms
_MOST_COLUMNS = 10  # the most used ones
_MOST_KEYS = 200  # of one column
_TYPES: dict[type, str] = {bool: "bool", int: "int", float: "double", str: "str"}

#: The position of a field that is no attribute, and of keys within a log record's body.
INTRINSIC = "intrinsic"


def map_keys(
    session: QuerySession, signal: Signal, window: Window, stored: Mapping[str, int]
) -> Iterator[tuple[str, str, set[str], int]]:
    """Yield position, key, types and the count of the column that the map is in, of keys that lead into maps."""
    columns = [(column, count) for name, count in stored.items() if (column := AttributeColumn.parse(name))]
    maps = sorted(
        ((column, count) for column, count in columns if column.type is ValueType.JSON), key=lambda item: -item[1]
    )
    for column, count in maps[:_MOST_COLUMNS]:
        for key, types in _keys(_sampled(session, signal, window, [column.name], require=column.name)).items():
            yield column.position, f"{column.key}.{key}", types, count
    if signal is Signal.LOGS:
        for key, types in _keys(_bodies(session, window)).items():
            if BARE_WORD.fullmatch(key):  # in quotes it would be an attribute's
                yield INTRINSIC, f"body.{key}", types, max(stored.values(), default=0)


def _bodies(session: QuerySession, window: Window) -> Iterator[Iterable[tuple[str, Any]]]:
    """Read some bodies that are maps; of those that are JSON texts some among the newest, as each text is looked at."""
    names = ("body", "body_type")
    if session.has_column(Signal.LOGS, window, "body_type"):
        yield from _sampled(session, Signal.LOGS, window, names, Sql("body_type = 'json'"), require="body_type")
    times = Sql(session.relation(Signal.LOGS, window, ["time_ns"]))
    edge = rows(
        session, statement("record_edge", relation=times, where=TRUE, direction=Sql("DESC"), count=_NEWEST_TEXTS)
    )[0]
    if edge["found"]:
        newest = clamp(edge["edge_ns"], window.end_ns)
        yield from _sampled(session, Signal.LOGS, newest, names, Sql(BODY_MAY_BE_MAP), is_stored=False)


def _sampled(
    session: QuerySession,
    signal: Signal,
    window: Window,
    names: Sequence[str],
    where: Sql | None = None,
    *,
    require: str | None = None,
    is_stored: bool = True,
) -> Iterator[Iterable[tuple[str, Any]]]:
    """Read the leaves of some values of the first of some columns that are maps; of a list column of each element."""
    name = names[0]
    column = Sql(quote_identifier(name))
    relation = Sql(session.relation(signal, window, names, require=[require] if require else []))
    present = where or Sql(f"{column.text} IS NOT NULL")
    values = Sql(column.text if _is_list(name) else f"[{column.text}]")
    for row in rows(
        session,
        statement("map_sample", column=column, values=values, relation=relation, where=present, count=_SAMPLE),
    ):
        for text in row["maps"]:
            try:
                value = orjson.loads(text or "null")
            except orjson.JSONDecodeError:  # cut at the limit of length, or a text that is none
                continue
            if isinstance(value, dict) and not (is_stored and is_escape(value)):
                yield map_leaves(value, is_stored=is_stored)


def _is_list(name: str) -> bool:
    column = AttributeColumn.parse(name)
    return column is not None and column.is_list


def _keys(maps: Iterable[Iterable[tuple[str, Any]]]) -> dict[str, set[str]]:
    """The paths of leaves of maps, with the types of what is there."""
    found: dict[str, set[str]] = {}
    for each in maps:
        for path, value in each:
            if path in found or len(found) < _MOST_KEYS:
                found.setdefault(path, set()).add(_TYPES.get(type(value), "json"))
    return found
