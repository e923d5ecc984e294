"""How values of each kind are written as text: one function a kind, in one table.

Each takes the writer, which writes what is inside, the value, its class, and how many structures may still be inside.
They call methods of the builtin class itself, never those of a subclass.
"""

from __future__ import annotations

import datetime as dt
import enum
import types
from collections import deque
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from spanglass.values import class_name, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from spanglass.exceptions.value_text import ValueText

    Named: TypeAlias = tuple[str | None, object]

#: Items of one structure, characters of a text or bytes inside of it.
MAX_ITEMS = 10
MAX_TEXT = 200
#: Attributes of an object that are looked at.
MAX_STATE = 200
#: Bits of a whole number whose digits are written.
MAX_BITS = 256

CUT = "…"
_names_of: Callable[[type], Mapping[str, Any]] = type.__dict__["__dict__"].__get__
_SAFE_ZONES = frozenset({"NoneType", "datetime.timezone", "zoneinfo.ZoneInfo"})
_NAMED = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType)
_BRACKETS: tuple[tuple[Any, str, str], ...] = (
    (list, "[", "]"),
    (tuple, "(", ")"),
    (set, "{", "}"),
    (frozenset, "({", "})"),
    (deque, "([", "])"),
)


def whole(value: int) -> str:
    """Write a whole number; a long one as its size: its digits take time by the square, and 4300 are refused."""
    bits = value.bit_length()
    return repr(value) if bits <= MAX_BITS else f"<int of {bits} bits>"


def _text(writer: ValueText, value: str, kind: type, _: int) -> str:
    return f"{class_name(kind)}({writer.text(str.__str__(value))})"


def _bytes(writer: ValueText, value: Any, kind: type, _: int) -> str:
    size = len(value)
    shown = writer.scrubbed(bytes(value[: 4 * MAX_TEXT]).decode("latin-1"))  # a token is one in bytes too
    plain = repr(shown[:MAX_TEXT].encode("latin-1", "replace"))
    text = plain if kind is bytes else f"{class_name(kind)}({plain})"
    return text if size <= MAX_TEXT else f"{text}{CUT} ({size} bytes)"


def _list(writer: ValueText, value: Any, kind: type, depth: int) -> str:
    base, opening, closing = next(row for row in _BRACKETS if issubclass(kind, row[0]))
    items = [*islice(base.__iter__(value), MAX_ITEMS)]
    names = _field_names(kind) if base is tuple else ()
    keys: list[str | None] = [*names, *[None] * len(items)]
    text = _joined(writer, zip(keys, items, strict=False), base.__len__(value), depth)
    if base is tuple and len(items) == 1 and not names:
        text += ","
    bare = kind is base and base in {list, tuple, set}
    return f"{'' if bare else class_name(kind)}{opening}{text}{closing}"


def _dict(writer: ValueText, value: Any, kind: type, depth: int) -> str:
    size = dict.__len__(value)
    if depth < 0:
        text = CUT if size else ""
    else:
        pairs = [*islice(dict.items(value), MAX_ITEMS)]
        texts = [
            f"{writer.item(None, key, 0)}: {writer.item(key if type(key) is str else None, item, depth)}"
            for key, item in pairs
        ]
        text = ", ".join([*texts, *_more(size - len(pairs))])
    return f"{{{text}}}" if kind is dict else f"{class_name(kind)}({{{text}}})"


def describe_object(writer: ValueText, value: object, kind: type, depth: int) -> str:
    """Write any object: its class and its attributes, without those that begin with an underscore."""
    state = [(name, item) for name, item in _state(value, kind) if not name.startswith("_")]
    return f"{class_name(kind)}({_joined(writer, state, len(state), depth)})" if state else f"<{class_name(kind)}>"


def _error(writer: ValueText, value: BaseException, kind: type, depth: int) -> str:
    arguments = BaseException.args.__get__(value)  # type: ignore[attr-defined]  # a getset descriptor
    return f"{class_name(kind)}({_joined(writer, [(None, item) for item in arguments], len(arguments), depth)})"


def _number(_writer: ValueText, value: int, kind: type, _: int) -> str:
    return f"{class_name(kind)}({whole(int.__int__(value))})"


def _float(_writer: ValueText, value: float, kind: type, _: int) -> str:
    return f"{class_name(kind)}({float.__repr__(value)})"


def _member(_writer: ValueText, value: object, kind: type, _: int) -> str:
    return f"{class_name(kind)}.{object.__getattribute__(value, '_name_')}"


def _class(_writer: ValueText, value: type, _kind: type, _: int) -> str:
    return f"<class {class_name(value)}>"


def _named(_writer: ValueText, value: Any, kind: type, _: int) -> str:
    if kind is types.MethodType:
        value = value.__func__
    if isinstance(value, types.ModuleType):  # perhaps one that is loaded when it is asked for a name it lacks
        name = object.__getattribute__(value, "__dict__").get("__name__")
    else:
        name = value.__qualname__ if type(value) in _NAMED else None
    return f"<{kind.__name__} {text_of(name, MAX_TEXT)}>" if type(name) is str else f"<{kind.__name__}>"


def _time(_writer: ValueText, value: Any, kind: type, _: int) -> str:
    base: Any = dt.datetime if issubclass(kind, dt.datetime) else dt.time
    # a zone of the application's own making would be asked for its offset
    safe = class_name(type(base.tzinfo.__get__(value))) in _SAFE_ZONES
    return f"{class_name(kind)}({base.isoformat(value)})" if safe else f"<{class_name(kind)}>"


WRITERS: dict[type, Callable[[ValueText, Any, type, int], str]] = {
    str: _text,
    bytes: _bytes,
    bytearray: _bytes,
    memoryview: _bytes,
    int: _number,
    float: _float,
    list: _list,
    tuple: _list,
    set: _list,
    frozenset: _list,
    deque: _list,
    dict: _dict,
    BaseException: _error,
    type: _class,
    dt.datetime: _time,
    dt.time: _time,
    **dict.fromkeys(_NAMED, _named),
}


@lru_cache(1_024)
def writer_of(kind: type) -> Callable[[ValueText, Any, type, int], str]:
    """Find what writes values of a class: by the first of its bases that has a row."""
    bases = type.__getattribute__(kind, "__mro__")
    if enum.Enum in bases:  # whatever it is besides: an IntEnum is a number first
        return _member
    return next((WRITERS[base] for base in bases if base in WRITERS), describe_object)


def _joined(writer: ValueText, named: Iterable[Named], size: int, depth: int) -> str:
    if depth < 0:
        return CUT if size else ""
    texts = [
        f"{name}={writer.item(name, item, depth)}" if name else writer.item(None, item, depth)
        for name, item in islice(named, MAX_ITEMS)
    ]
    return ", ".join([*texts, *_more(size - len(texts))])


def _more(count: int) -> tuple[str, ...]:
    return (f"{CUT} ({count} more)",) if count > 0 else ()


def _field_names(kind: type) -> tuple[str, ...]:
    """Return the names of a named tuple's fields."""
    for base in type.__getattribute__(kind, "__mro__"):
        fields = _names_of(base).get("_fields")
        if type(fields) is tuple and all(type(name) is str for name in fields):
            return fields
    return ()


def _state(value: object, kind: type) -> list[tuple[str, object]]:
    """Return what lies in an object, by the descriptors that the interpreter made for it, never by a property."""
    found: list[tuple[str, object]] = []
    for name, descriptor in _descriptors(kind):
        if name == "__dict__":
            held = islice(dict.items(descriptor.__get__(value)), MAX_STATE)
            found += [(key, item) for key, item in [*held] if type(key) is str]
        else:
            with suppress(AttributeError):  # a slot that was never filled
                found.append((name, descriptor.__get__(value)))
    return found


@lru_cache(1_024)
def _descriptors(kind: type) -> list[tuple[str, Any]]:
    found = []
    for base in type.__getattribute__(kind, "__mro__"):
        for name, descriptor in [*_names_of(base).items()]:
            of_interpreter = types.GetSetDescriptorType if name == "__dict__" else types.MemberDescriptorType
            if type(descriptor) is of_interpreter:
                found.append((name, descriptor))
    return found
