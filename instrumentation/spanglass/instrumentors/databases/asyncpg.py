"""asyncpg: names, and one span a statement below SQLAlchemy, which makes it.

Upstream wraps the methods of asyncpg's classes, by functions that it finds as attributes of its own.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from spanglass.instrumentors.databases.drivers import opened_by_sqlalchemy
from spanglass.patching.patches import Replacement, replace
from spanglass_core.query_summary import query_operation

if TYPE_CHECKING:
    from collections.abc import Callable

_AROUND = ("_do_execute", "_do_cursor_execute", "_do_prepared_execute")
_STATEMENTS = ("query", "command")  # names of the first argument, where it is given by name
#: What a statement without an operation is called.
_NAMELESS = "postgresql"


def asyncpg(instrumentor: Any, options: dict[str, Any], *, late: bool) -> Callable[[], None]:  # noqa: ARG001 - one signature for all
    """Turn the instrumentation of asyncpg on; gives what takes that back."""
    instrumentor._leading_comment_remover = _Reader()  # noqa: SLF001 - what it names spans by
    undo = [replace(instrumentor, name, partial(_around, own=name == _AROUND[0])) for name in _AROUND]
    instrumentor.instrument(skip_dep_check=True, **options)

    def take_back() -> None:
        instrumentor.uninstrument()
        for each in undo:
            each()

    return take_back


class _Reader:
    """Stands for upstream's pattern of a leading comment, and leaves nothing but the operation."""

    def sub(self, _replacement: str, text: str) -> str:
        return query_operation(text) or _NAMELESS


def _around(replacement: Replacement, *, own: bool) -> Callable[..., Any]:
    def around(method: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if own:  # upstream looks for the statement among the positional arguments only
            args, kwargs = _positional(args, kwargs)
        if opened_by_sqlalchemy() or (own and not args):
            return method(*args, **kwargs)
        return replacement.original(method, instance, args, kwargs)

    return around


def _positional(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    name = next((name for name in _STATEMENTS if name in kwargs), None)
    if args or name is None:
        return args, kwargs
    return (kwargs[name],), {key: value for key, value in kwargs.items() if key != name}
