"""Replacing functions of others, and taking that back, even where somebody else replaced them once more since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Replacement", "replace"]


class Replacement:
    """One replaced function: ``active`` turns False when it is taken back, from then on it only passes calls on."""

    __slots__ = ("active", "original")

    def __init__(self, original: Callable[..., Any]) -> None:
        self.original = original
        self.active = True


def replace(owner: Any, name: str, make: Callable[[Replacement], Callable[..., Any]]) -> Callable[[], None]:
    """Set ``owner.name``, of a module or class, to what ``make`` gives; returns what takes it back.

    What ``make`` gives has to look at ``active``: if it was wrapped by somebody since, it cannot be removed.
    """
    inherited = name not in vars(owner)
    replacement = Replacement(getattr(owner, name))
    ours = make(replacement)
    setattr(owner, name, ours)

    def take_back() -> None:
        replacement.active = False
        if vars(owner).get(name) is not ours:
            return
        if inherited:
            delattr(owner, name)
        else:
            setattr(owner, name, replacement.original)

    return take_back
