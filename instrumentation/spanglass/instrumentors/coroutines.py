"""asyncio: upstream measures each coroutine by one of its own around it, which tasks are then named after.

The names stand in ``repr(task)``, in what asyncio logs of slow and forgotten tasks, and in what tools of the
application show; they stay those of the application's coroutines.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_NAMES = ("__name__", "__qualname__")


def asyncio(instrumentor: Any, options: dict[str, Any], *, late: bool) -> Callable[[], None]:
    """Turn upstream's on, and have the coroutines that it makes be called as those inside."""
    del late
    original = instrumentor.trace_coroutine

    def trace_coroutine(inside: Any) -> Any:
        made = original(inside)
        for name in _NAMES:
            called = getattr(inside, name, None)
            if type(called) is str:
                setattr(made, name, called)
        return made

    undo = ExitStack()
    undo.callback(delattr, instrumentor, "trace_coroutine")
    undo.callback(instrumentor.uninstrument)
    instrumentor.trace_coroutine = trace_coroutine  # of the one instance that there is
    instrumentor.instrument(skip_dep_check=True, **options)
    return undo.close
