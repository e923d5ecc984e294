"""Functions of others that are wrapped, and given back.

Others wrap them too, and do not always take back in reverse order: what is no longer on top stays where it is and only
passes the call on.
"""

from __future__ import annotations

import functools
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Patches:
    """Wrapped functions of modules and methods of classes."""

    def __init__(self) -> None:
        self._on = True
        self._wrapped = ExitStack()

    def wrap(self, owner: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        """Put ``make(original)`` in the place of a function or plain method; an inherited one is wrapped here only."""
        inherited = name not in vars(owner)
        original = getattr(owner, name)
        ours = make(original)

        @functools.wraps(original)
        def patched(*args: Any, **kwargs: Any) -> Any:
            return (ours if self._on else original)(*args, **kwargs)

        def undo() -> None:
            if vars(owner).get(name) is not patched:
                return
            if inherited:
                delattr(owner, name)
            else:
                setattr(owner, name, original)

        setattr(owner, name, patched)
        self._wrapped.callback(undo)

    def undo(self) -> None:
        """Put everything back, the last first; nothing is wrapped by this object afterwards."""
        self._on = False
        self._wrapped.close()
