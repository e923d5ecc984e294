"""click: a command is a span, except one that starts a worker or a server.

Such a span lasts as long as the process, and everything that the process does would be below it. Upstream leaves
``flask run`` and ``uvicorn`` out, and commands of a class of their own, such as Celery's.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import wrapt

if TYPE_CHECKING:
    from collections.abc import Callable

#: Packages whose commands run on and on.
_LONG_RUNNING = frozenset({"arq", "celery", "granian", "rq", "streamlit", "uvicorn"})


def click(instrumentor: Any, options: dict[str, Any], *, late: bool) -> Callable[[], None]:
    """Turn upstream's on, and keep it off what runs on and on."""
    del late
    instrumentor.instrument(skip_dep_check=True, **options)
    owner = import_module("click.core").Command
    instrumented = owner.__dict__["invoke"]
    ours = wrapt.FunctionWrapper(instrumented, _invoke)
    owner.invoke = ours

    def take_back() -> None:
        if owner.__dict__.get("invoke") is ours:
            owner.invoke = instrumented
        instrumentor.uninstrument()

    return take_back


def _invoke(wrapped: Any, command: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    module = getattr(command.callback, "__module__", None) or ""
    if module.partition(".")[0] in _LONG_RUNNING:
        return wrapped.__wrapped__(*args, **kwargs)
    return wrapped(*args, **kwargs)
