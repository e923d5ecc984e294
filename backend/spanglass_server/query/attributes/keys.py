"""Keys that filters can name, for completion: the fields that every record has, and the attributes there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypedDict

from spanglass_server.query.answers import JsonSchema
from spanglass_server.query.attributes.map_keys import INTRINSIC, map_keys
from spanglass_server.query.language import intrinsic_keys
from spanglass_server.query.language.compiling.pins import IS
from spanglass_server.query.language.compiling.relations import IN_TRACES, TRACE_FIELDS
from spanglass_server.signals import AttributeColumn, Signal

if TYPE_CHECKING:
    from spanglass_server.store.ports import QuerySession, Window

Position = Annotated[
    str, JsonSchema({"description": "span, log, point, resource, scope, event, link, exemplar; or intrinsic"})
]


class Key(TypedDict):
    """A key that filters can name, with the types of its values."""

    key: str
    position: Position
    types: list[str]
    count: int


class KeyList(TypedDict):
    """The answer of ``GET /api/v1/keys``."""

    keys: list[Key]


def complete_keys(
    session: QuerySession, signal: Signal, window: Window, *, prefix: str = "", limit: int = 100
) -> KeyList:
    """Answer ``GET /api/v1/keys``: keys that begin with ``prefix`` first, then those that hold it, most used first.

    A key's ``count`` is the number of records stored together with it, which costs nothing to know. Keys within maps
    are those of a sample.
    """
    found: dict[tuple[str, str], Key] = {}
    stored = session.columns(signal, window)
    for name, count in stored.items():
        column = AttributeColumn.parse(name)
        if column is None:
            continue
        entry = found.setdefault(
            (column.position, column.key), {"key": column.key, "position": column.position, "types": [], "count": 0}
        )
        entry["types"].append(str(column.type))
        entry["count"] = max(entry["count"], count)
    for position, key, types, count in map_keys(session, signal, window, stored):
        entry = found.setdefault((position, key), {"key": key, "position": position, "types": [], "count": 0})
        entry["types"] = [*{*entry["types"], *types}]
        entry["count"] = max(entry["count"], count)
    everywhere = max(stored.values(), default=0)
    intrinsics: list[Key] = [
        {"key": key, "position": INTRINSIC, "types": [], "count": everywhere}
        for key in (*intrinsic_keys(signal), *((*TRACE_FIELDS, IS) if signal in IN_TRACES else ()))
    ]
    ranked = [
        (rank, -entry["count"], entry["key"], entry["position"], entry)
        for entry in (*intrinsics, *found.values())
        if (rank := _rank(entry, prefix.lower())) is not None
    ]
    ranked.sort(key=lambda item: item[:4])
    return {"keys": [{**entry, "types": sorted(entry["types"])} for *_, entry in ranked[:limit]]}


def _rank(entry: Key, prefix: str) -> int | None:
    """Rank how well a key fits what is typed, best first; None where it does not. A position may stand before it."""
    key = entry["key"].lower()
    if key.startswith(prefix):
        return 0
    if entry["position"] != INTRINSIC and f"{entry['position']}.{key}".startswith(prefix):
        return 1
    return 2 if prefix in key else None
