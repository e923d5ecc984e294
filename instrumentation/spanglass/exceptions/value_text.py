"""A local variable as text, without a line of the application's code being run.

No ``__repr__``, ``__str__``, property or ``__getattr__`` of the application is called: they may be slow, raise, take
locks or ask a database. Builtin values are written as ``repr`` does, bounded; any other object as its class and the
attributes that lie in its ``__dict__`` and ``__slots__``, without those that begin with an underscore.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from functools import lru_cache
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from typing import TYPE_CHECKING, Any
from uuid import UUID

from spanglass.exceptions.reading import MAX_VARIABLE
from spanglass.exceptions.value_kinds import CUT, MAX_TEXT, whole, writer_of
from spanglass.values import class_name, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass.exceptions.reading import Budget, Scrubber

#: Structures inside the outermost one.
MAX_DEPTH = 3

_PROBE = "x"  # has the shape of no secret: what changes it is its name
_MAX_NAMES = 4_096
_SAFE_REPR = frozenset(
    {bool, float, complex, type(None), type(...), type(NotImplemented), dt.date, dt.timedelta, dt.timezone}
    | {Decimal, UUID, PosixPath, PurePosixPath, WindowsPath, PureWindowsPath, re.Pattern}
)


class ValueText:
    """Writes the variables of one chain; a secret's name hides whatever it stands for."""

    def __init__(self, scrubber: Scrubber, hidden: Callable[[str], str | None], budget: Budget) -> None:
        """``hidden`` is what ``hidden_names`` made of the scrubber: it outlives the chain."""
        self.scrubbed = scrubber.text
        self._scrub_value = scrubber.value
        self._hidden = hidden
        self._budget = budget
        self._left = 0
        self._inside: set[int] = set()

    def write(self, name: str, value: object) -> str:
        """Return one variable as text of at most ``MAX_VARIABLE`` characters."""
        self._left = MAX_VARIABLE
        text = self.item(name, value, MAX_DEPTH)
        return text if len(text) <= MAX_VARIABLE else text[: MAX_VARIABLE - 1] + CUT

    def item(self, name: str | None, value: object, depth: int) -> str:
        """Return one value that stands under this name, if it has one, in what is being written."""
        if self._left <= 0 or self._budget.expired():
            return CUT
        if name is not None and self._hidden(name) is not None:
            hidden = self._instead(name, value)
            if hidden is not None:
                return hidden
        try:
            return self._any(value, depth)
        except Exception:  # noqa: BLE001 - changed by another thread while it is read, or a type of a strange making
            return f"<{class_name(type(value))}>"

    def text(self, value: str) -> str:
        """Return a text in quotes, cut. It is looked at further than it is shown: half a secret has no known shape."""
        shown = self.scrubbed(value[: 4 * MAX_TEXT])
        more = f"{CUT} ({len(value)} characters)" if len(shown) > MAX_TEXT else ""
        return text_of(repr(shown[:MAX_TEXT])) + more

    def _instead(self, name: str, value: object) -> str | None:
        """Return what stands for the value of a secret's name; of numbers the scrubber knows which can be one."""
        kind = type(value)
        if kind is bool or value is None:
            return None
        if kind is int or kind is float:
            shown = self._scrub_value(name, value)
            return None if shown is value else text_of(shown, MAX_TEXT)
        return self._hidden(name)

    def _any(self, value: Any, depth: int) -> str:
        kind = type(value)
        if kind is str:
            text = self.text(value)
        elif kind is int:
            text = whole(value)
        elif kind in _SAFE_REPR:
            text = text_of(repr(value), MAX_TEXT)
        else:
            self._left -= 4  # brackets and a comma; what is inside counts for itself
            return self._structure(value, kind, depth)
        self._left -= len(text)
        return text

    def _structure(self, value: object, kind: type, depth: int) -> str:
        if id(value) in self._inside:
            return f"<{class_name(kind)}, which this is inside of>"
        self._inside.add(id(value))
        try:
            return writer_of(kind)(self, value, kind, depth - 1)
        finally:
            self._inside.discard(id(value))


def hidden_names(scrubber: Scrubber) -> Callable[[str], str | None]:
    """Make what tells by a name what stands for its value, or None. It remembers: names are few."""

    @lru_cache(_MAX_NAMES)
    def hidden(name: str) -> str | None:
        shown = scrubber.value(name, _PROBE)
        return None if shown == _PROBE else text_of(shown, MAX_TEXT)

    return hidden
