"""Go's ``printf``: the verbs that templates use, and the same marks where a value does not fit."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.alerting.rules.templates.nodes import TemplateError
from spanglass_server.promql.series.go_numbers import go_number

if TYPE_CHECKING:
    from collections.abc import Iterable

_VERB: Final = re.compile(r"%(?P<flags>[-+# 0]*)(?P<width>\d{0,3})(?:\.(?P<digits>\d{0,3}))?(?P<verb>.)", re.DOTALL)
#: A text that grows past it is cut off: nobody reads it, and one that is doubled forty times would fill the memory.
MAX_LENGTH = 20_000
_OF_FLOATS: Final = frozenset("feEgGF")
_OF_INTEGERS: Final = frozenset("dxXobc")
_OF_TEXTS: Final = frozenset("sqvxX")


def sprintf(template: str, arguments: tuple[Any, ...]) -> str:
    """Fill in a format; an argument too few or of another type leaves a mark such as ``%!d(float64=1.5)``."""
    waiting = list(arguments)

    def written(found: re.Match[str]) -> str:
        if found["verb"] == "%":
            return "%"
        if found["verb"] not in _OF_FLOATS | _OF_INTEGERS | _OF_TEXTS | {"t"}:
            hint = "there are %v %s %q %d %x %f %e %g %t"
            raise TemplateError(f"printf has no verb %{found['verb']} here", hint=hint)
        if not waiting:
            return f"%!{found['verb']}(MISSING)"
        return _padded(_value(waiting.pop(0), found), found)

    text = _VERB.sub(written, template)
    if waiting:
        extra = ", ".join(f"{_type_of(value)}={text_of(value)}" for value in waiting)
        text += f"%!(EXTRA {extra})"
    return text


def text_of(value: Any) -> str:
    """A value as a template writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return go_number(value)
    if value is None:
        return "<nil>"
    if isinstance(value, dict):
        return f"map[{_listed(f'{name}:{text_of(each)}' for name, each in sorted(value.items()))}]"
    if isinstance(value, list | tuple):
        return f"[{_listed(map(text_of, value))}]"
    return str(value)


def _listed(texts: Iterable[str]) -> str:
    """Texts in a row, as far as they are shown: a map of maps may hold more than there is memory."""
    shown, length = [], 0
    for text in texts:
        shown.append(text)
        length += len(text) + 1
        if length > MAX_LENGTH:
            break
    return " ".join(shown)[:MAX_LENGTH]


def _value(value: Any, found: re.Match[str]) -> str:
    verb, digits = found["verb"], found["digits"]
    fits: dict[str, bool] = {
        "t": isinstance(value, bool),
        "v": True,
        **dict.fromkeys("sq", isinstance(value, str)),
        **dict.fromkeys(_OF_FLOATS, isinstance(value, float)),
        **dict.fromkeys("dobcxX", isinstance(value, int) and not isinstance(value, bool)),
    }
    if not fits[verb] and not (verb in "xX" and isinstance(value, str)):
        return f"%!{verb}({_type_of(value)}={text_of(value)})"
    plus = "+" if "+" in found["flags"] and isinstance(value, int | float) and value >= 0 else ""
    return plus + _fitting(value, verb, None if digits is None else max(int(digits or 0), verb in "gG"))


def _fitting(value: Any, verb: str, digits: int | None) -> str:
    if verb in "gG" or (verb == "v" and isinstance(value, float)):
        text = go_number(value, digits)
        return text.upper() if verb == "G" else text
    if verb in _OF_FLOATS:
        return f"{value:.{6 if digits is None else digits}{verb}}"
    if verb == "q":
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        shown = value.encode().hex() if verb in "xX" else value
        return shown.upper() if verb == "X" else shown[:digits]
    if verb in _OF_INTEGERS and isinstance(value, int):
        return chr(value) if verb == "c" else f"{value:{verb}}"
    return text_of(value)


def _padded(text: str, found: re.Match[str]) -> str:
    width, flags = int(found["width"] or 0), found["flags"]
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and found["verb"] not in _OF_TEXTS:
        return text.zfill(width)
    return text.rjust(width)


def _type_of(value: Any) -> str:
    names = {bool: "bool", int: "int", float: "float64", str: "string", type(None): "<nil>"}
    return names.get(type(value), type(value).__name__)
