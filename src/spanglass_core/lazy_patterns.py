"""Regular expressions that are compiled when they are first used: those of scrubbing take 20 ms of a start otherwise.

Without a lock, which a fork could leave locked for ever: what two threads compile at the same time is the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable


class _Lazy:
    """Looks like a pattern; after the first use of a method that is an attribute like any other."""

    def __init__(self, compiled: Callable[[], re.Pattern[str]]) -> None:
        self._compiled = compiled

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._compiled(), name)
        setattr(self, name, value)
        return value


def lazy_pattern(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Return what ``re.compile`` gives, as far as its methods go; a wrong pattern is only found out when it is used."""
    return lazily(lambda: re.compile(pattern, flags))


def lazily(compiled: Callable[[], re.Pattern[str]]) -> re.Pattern[str]:
    """Return the pattern that a function makes when it is first used; the function may be called more than once."""
    return cast("re.Pattern[str]", _Lazy(compiled))
