"""What alerts that open together have in common is read once: figures of a service, the course of a rule, and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")


class Shared:
    """What was read over one session, by what it depends on. For one thread.

    ``is_brief`` says of the next alert, if it is about an issue, that what takes longest is left out.
    """

    def __init__(self) -> None:
        self.is_brief = False
        self._found: dict[Hashable, Any] = {}

    def once(self, key: Hashable, find: Callable[[], T]) -> T:
        """What ``find`` returns, or has returned for the same key; what raised is tried again. Change nothing in it."""
        if key not in self._found:
            self._found[key] = find()
        found: T = self._found[key]
        return found
