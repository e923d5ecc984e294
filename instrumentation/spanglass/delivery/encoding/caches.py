"""What was encoded before: most attributes and names of an application's spans are the same again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from spanglass.delivery.encoding.values import block, items_of, key_value, text

if TYPE_CHECKING:
    from collections.abc import Mapping

# Some MB at most, mostly less than one. What varies fills a cache and what repeats is soon back in the empty one: the
# 50 to 100 that an application repeats cost nothing beside the thousands that made it full.
MAX_ENTRIES = 2048
MAX_BYTES = 512  # of one entry; longer ones cost little more to encode than to find

Key = TypeVar("Key")


class _Cache(dict[Key, bytes]):
    """A dict whose misses are encoded: a hit never leaves the interpreter's C code.

    Any number of threads may read and add: each step is one operation of a dict, and all they can do is encode twice.
    """

    __slots__ = ()

    def keep(self, key: Key, made: bytes) -> bytes:
        if len(made) <= MAX_BYTES:
            if len(self) >= MAX_ENTRIES:
                self.clear()
            self[key] = made
        return made


class Texts(_Cache[Any]):
    """Texts with their lengths, as fields have them."""

    __slots__ = ()

    def __missing__(self, value: object) -> bytes:
        made = block(text(value))
        return self.keep(value, made) if type(value) is str else made


class _Pairs(_Cache[tuple[str, Any]]):
    """KeyValue messages with their lengths, by key and value.

    1, 1.0 and True are one key of a dict, and so are tuples of them: only text is kept here. Whole numbers, as of
    ports and status codes, have a dict that is asked for them alone.
    """

    __slots__ = ("_whole",)

    def __init__(self) -> None:
        self._whole: _Cache[tuple[str, int]] = _Cache()

    def __missing__(self, pair: tuple[str, Any]) -> bytes:
        key, value = pair
        kind = type(value)
        if type(key) is str:
            if kind is str:
                return self.keep(pair, key_value(key, value))
            if kind is int:
                return self._whole.get(pair) or self._whole.keep(pair, key_value(key, value))
        return key_value(key, value)


class Caches:
    """The caches of one encoder."""

    __slots__ = ("_pair", "text")

    def __init__(self) -> None:
        self.text = Texts().__getitem__  # bound: looked up once
        self._pair = _Pairs().__getitem__

    def attributes(self, tag: bytes, attributes: Mapping[str, object] | None) -> bytes:
        """Encode a repeated KeyValue field."""
        if attributes is None:
            return b""
        items = items_of(attributes)
        if not items:
            return b""
        try:
            return tag + tag.join(map(self._pair, items))
        except TypeError:  # a list or a map can't be looked up
            return tag + tag.join([key_value(key, value) for key, value in items])
