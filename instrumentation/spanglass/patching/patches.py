"""Replacing functions of others, and taking that back, even where somebody else replaced them once more since."""

from __future__ import annotations

import sys
from functools import wraps
from types import MethodType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

__all__ = ["Call", "Replacement", "replace", "see_before"]


class Replacement:
    """One replaced function: ``active`` turns False when it is taken back, from then on it only passes calls on."""

    __slots__ = ("active", "original")

    def __init__(self, original: Callable[..., Any]) -> None:
        self.original = original
        self.active = True


class _Made(NamedTuple):
    """What stands in the place of something, and what stood there: None if that was inherited."""

    ours: Any
    replacement: Replacement
    before: Any  # a static method as such, which getattr() would unpack


_in_place: dict[tuple[int, str, int], _Made] = {}  # by owner, name, and what is ours: one may stand in two places


def replace(owner: Any, name: str, make: Callable[[Replacement], Any]) -> Callable[[], None]:
    """Set ``owner.name``, of a module or class, to what ``make`` gives; returns what takes it back.

    What ``make`` gives has to look at ``active``: if it was wrapped by somebody since, it cannot be removed.
    """
    replacement = Replacement(getattr(owner, name))
    ours = make(replacement)
    _in_place[id(owner), name, id(ours)] = _Made(ours, replacement, vars(owner).get(name))
    setattr(owner, name, ours)

    def take_back() -> None:
        replacement.active = False
        before = vars(owner).get(name)
        if before is not ours:
            return
        place = id(owner), name, id(before)
        while place in _in_place and not _in_place[place].replacement.active:  # also those that were covered
            before = _in_place.pop(place).before
            place = id(owner), name, id(before)
        if before is None:
            delattr(owner, name)
        else:
            setattr(owner, name, before)

    return take_back


class Call(NamedTuple):
    """Where a method is called: in which function, and under which name the first argument stands there."""

    code: CodeType
    variable: str


class _SeenBefore:
    """A method that ``see`` looks at before it runs, without a frame of ours on the stack while it does.

    Whoever looks for callers from inside, as handlers of logs do, counts frames or goes by their files. So what is
    replaced is not the method but its look-up, which is over when the method begins. Where it is looked up by other
    code than ``call`` says, its argument is not known yet: then a wrapper sees it.
    """

    __slots__ = ("_code", "_original", "_replaced", "_see", "_variable", "_wrapper")

    def __init__(self, replaced: Replacement, call: Call, see: Callable[[Any, Any], bool]) -> None:
        self._replaced, self._original, self._see = replaced, replaced.original, see
        self._code, self._variable = call

        @wraps(replaced.original)
        def wrapper(instance: Any, argument: Any, *args: Any, **kwargs: Any) -> Any:
            if replaced.active and not see(instance, argument):
                return None
            return replaced.original(instance, argument, *args, **kwargs)

        self._wrapper = wrapper

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self._wrapper if self._replaced.active else self._original
        if self._replaced.active:
            frame = sys._getframe(1)  # noqa: SLF001 - what stdlib logging uses too
            argument = frame.f_locals.get(self._variable) if frame.f_code is self._code else None
            if argument is None:
                return MethodType(self._wrapper, instance)
            if not self._see(instance, argument):
                return _nothing
        return MethodType(self._original, instance)


def see_before(owner: type, name: str, call: Call, see: Callable[[Any, Any], bool]) -> Callable[[], None]:
    """Have ``see`` called with instance and first argument before each ``owner.name``; returns what takes it back.

    Where it gives False the method is not called. ``see`` must not raise.
    """
    return replace(owner, name, lambda replaced: _SeenBefore(replaced, call, see))


def _nothing(*_args: Any, **_kwargs: Any) -> None:
    """Stand for a method that is not to be called."""
