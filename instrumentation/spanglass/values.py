"""Any Python value as the value of an attribute: never an error, bounded in size, valid in protobuf.

OpenTelemetry takes text, booleans, 64-bit whole numbers, floats, bytes and lists of one kind of these. Everything else
becomes one of them here, for what an exporter cannot encode loses the whole batch: a lone surrogate, or 2**63.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import math
import numbers
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from uuid import UUID

from spanglass.guard import report

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.util.types import AnyValue

__all__ = ["MAX_ITEMS", "MAX_NAME", "MAX_TEXT", "attribute_value", "attributes_of", "printed", "text_of"]

#: Most characters of one value.
MAX_TEXT = 65_536
#: Most characters of the name of a span, an event or an operation, and of a status' description.
MAX_NAME = 4_096
#: Most items of a list, and of all structures in one JSON text together.
MAX_ITEMS = 1_000
#: Most structures inside one another; a structure that holds itself ends here.
MAX_DEPTH = 8

_CUT = "…"
_INT64 = range(-(2**63), 2**63)
_AS_THEY_ARE = frozenset((bool, float, type(None)))
_NOT_SIMPLE = object()
_BINARY = (bytes, bytearray, memoryview)
_LISTS = (Sequence, AbstractSet)


def attributes_of(given: Mapping[str, object] | None, more: Mapping[str, object]) -> dict[str, AnyValue] | None:
    """Return both mappings as attributes; None if nothing is in them. Values that are None are left out."""
    if not given:
        if not more:
            return None
        given = more
    elif more:
        given = {**given, **more}
    try:
        found: dict[str, AnyValue] = {}
        for key, value in given.items():
            made = attribute_value(value)
            if made is not None and key:
                found[text_of(key)] = made
    except Exception as error:  # noqa: BLE001 - a mapping, or a key, of the application's own making
        report("read attributes", error)
        return None
    return found


def attribute_value(value: object, max_text: int = MAX_TEXT) -> AnyValue:
    """Give ``value`` as OpenTelemetry takes it: structures and mixed lists as JSON text, None as None.

    Times are ISO 8601, a ``timedelta`` is seconds, a ``Decimal`` a float, an enum member its value, an object its
    ``str``, without the address if it has none of its own. ``max_text`` is in characters.
    """
    kind = type(value)
    if kind is str:
        return text_of(value, max_text)
    if kind in _AS_THEY_ARE or (kind is int and value in _INT64):
        return value  # type: ignore[return-value]  # the types are known by identity
    try:
        return _converted(value, max_text)
    except Exception as error:  # noqa: BLE001 - the value's own methods may raise anything
        return f"<{kind.__qualname__}: {type(error).__name__} while it was read>"


def _converted(value: object, max_text: int) -> AnyValue:
    simple = _simple(value, max_text)
    if simple is not _NOT_SIMPLE:
        found: AnyValue = simple
        return found
    if isinstance(value, _BINARY):
        return bytes(value[:max_text])
    if isinstance(value, _LISTS) and not hasattr(value, "_fields"):
        items = _homogeneous(value, max_text)
        if items is not None:
            return items
    plain = _plain(value, MAX_DEPTH, _Budget(max_text))
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def text_of(value: object, max_text: int = MAX_TEXT) -> str:
    """Give text as it may be sent: cut after ``max_text`` characters, without lone surrogates."""
    text = value if type(value) is str else str.__str__(value) if isinstance(value, str) else printed(value)
    if len(text) > max_text:
        text = text[: max_text - 1] + _CUT
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="backslashreplace").decode()
    return text


def printed(value: object) -> str:
    """Return the text of an object, whatever its ``__str__`` does; without an address, which would differ each time."""
    kind = type(value)
    if kind.__str__ is object.__str__ and kind.__repr__ is object.__repr__:
        return f"<{kind.__module__}.{kind.__qualname__}>"
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - the object's own method
        return f"<{kind.__qualname__}: {type(error).__name__} in its __str__>"


def failure_text(error: BaseException) -> str:
    """Return class and message of an exception, as a span's status describes it, whatever its ``__str__`` does."""
    return f"{type(error).__qualname__}: {text_of(error)}"


def _whole(value: Any) -> int | str:
    number = int(value)
    return number if number in _INT64 else str(number)


def _member(value: enum.Enum) -> object:
    return value.value if isinstance(value.value, str | int | float) else value.name


# By type, the first that fits. An IntEnum is an Enum before it is a number.
_SIMPLE: tuple[tuple[type | tuple[type, ...], Callable[[Any], object]], ...] = (
    (enum.Enum, _member),
    (str, str.__str__),
    (bool, bool),
    (numbers.Integral, _whole),
    (numbers.Real, float),
    (Decimal, float),
    ((dt.datetime, dt.date, dt.time), lambda value: value.isoformat()),
    (dt.timedelta, lambda value: value.total_seconds()),
    ((UUID, PurePath), str),
    (BaseException, lambda value: f"{type(value).__qualname__}: {value}"),
    (type, lambda value: f"{value.__module__}.{value.__qualname__}"),
)


def _simple(value: object, max_text: int) -> Any:
    for kinds, convert in _SIMPLE:
        if isinstance(value, kinds):
            found = convert(value)
            return text_of(found, max_text) if isinstance(found, str) else found
    return _NOT_SIMPLE


def _homogeneous(value: Iterable[object], max_text: int) -> list[Any] | None:
    """Return a list of simple values of one type; None if there are others. A set is sorted: it has no order."""
    items: list[Any] = [_simple(item, max_text) for item in islice(value, MAX_ITEMS)]
    kinds = {type(item) for item in items}
    if kinds == {int, float}:
        items = [float(item) for item in items]
    elif len(kinds) > 1 or object in kinds:  # the type of _NOT_SIMPLE
        return None
    return sorted(items) if isinstance(value, AbstractSet) else items


class _Budget:
    """What one JSON text may still take."""

    __slots__ = ("characters", "items")

    def __init__(self, characters: int) -> None:
        self.items = MAX_ITEMS
        self.characters = characters

    def text(self, value: object) -> str:
        text = text_of(value, max(self.characters, 1))
        self.characters -= len(text)
        return text

    def take(self, items: Iterator[Any]) -> Iterator[Any]:
        for item in items:
            if self.items <= 0 or self.characters <= 0:
                return
            self.items -= 1
            yield item


def _plain(value: object, depth: int, budget: _Budget) -> object:
    """Return what JSON has a form for; what is too deep or too much is cut."""
    if value is None:
        return None
    simple = _simple(value, max(budget.characters, 1))
    if simple is not _NOT_SIMPLE:
        if isinstance(simple, float) and not math.isfinite(simple):
            return str(simple)
        return budget.text(simple) if isinstance(simple, str) else simple
    if isinstance(value, _BINARY):
        return budget.text(bytes(value[: max(budget.characters, 1)]).decode(errors="backslashreplace"))
    return _structure(value, depth, budget)


def _structure(value: object, depth: int, budget: _Budget) -> object:
    members = _members(value)
    if members is not None:
        if not depth:
            return _CUT
        return {budget.text(key): _plain(item, depth - 1, budget) for key, item in budget.take(members)}
    if isinstance(value, _LISTS):
        return [_plain(item, depth - 1, budget) for item in budget.take(iter(value))] if depth else _CUT
    return budget.text(value)


def _members(value: object) -> Iterator[tuple[object, object]] | None:
    """Give keys and values of what is a mapping, in one form or another."""
    if isinstance(value, Mapping):
        return iter(value.items())
    if dataclasses.is_dataclass(value):
        return ((each.name, getattr(value, each.name)) for each in dataclasses.fields(value))
    names = getattr(value, "_fields", None)
    if isinstance(value, tuple) and names is not None:
        return iter(zip(names, value, strict=False))
    return None


_MAX_NAME = 200


def class_name(kind: type) -> str:
    """Return a class's qualified name, builtins without their module; a metaclass of the application is not asked."""
    module = type.__getattribute__(kind, "__module__")
    name = type.__getattribute__(kind, "__qualname__")
    if type(module) is not str or module == "builtins":
        return text_of(name, _MAX_NAME)
    return text_of(f"{module}.{name}", _MAX_NAME)
