"""Values within maps, by the paths that filters know them by: of stored maps, and of JSON texts as they were sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Keys that stand alone in a stored map which is none: bytes, numbers that JSON lacks,
#: an encoded message that protobuf refuses.
ESCAPES = {"$bytes": "bytesValue", "$double": "doubleValue", "$undecoded": "bytesValue"}
#: Maps in maps in maps are gone into so deep; a deeper one is a value.
_DEEPEST = 6


def map_leaves(value: Mapping[str, Any], *, is_stored: bool = True) -> Iterator[tuple[str, Any]]:
    """Yield the path and value of what is no map, or an empty one, or an escape.

    A stored map has keys that begin with ``$`` with one more, and escapes; a text has neither.
    """
    return _leaves(value, _DEEPEST, is_stored=is_stored)


def body_leaves(body: Any) -> Iterator[tuple[str, Any]]:
    """Yield those of a log record's body, if it is a map or a JSON text that is one."""
    is_text = isinstance(body, str)
    if is_text:
        try:
            body = orjson.loads(body) if body.lstrip().startswith("{") else None
        except orjson.JSONDecodeError:
            return
    if isinstance(body, dict) and (is_text or not is_escape(body)):
        yield from map_leaves(body, is_stored=not is_text)


def is_escape(item: Mapping[str, Any]) -> bool:
    """Whether a stored map stands for something else."""
    return len(item) == 1 and next(iter(item)) in ESCAPES


def unescaped(key: str) -> str:
    """A key of a stored map as it was sent."""
    return key.removeprefix("$")


def _leaves(value: Mapping[str, Any], depth: int, *, is_stored: bool) -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        name = unescaped(key) if is_stored else key
        if isinstance(item, dict) and item and depth > 1 and not (is_stored and is_escape(item)):
            yield from ((f"{name}.{rest}", leaf) for rest, leaf in _leaves(item, depth - 1, is_stored=is_stored))
        else:
            yield name, item
