"""SQLAlchemy: its asynchronous half is not imported on behalf of the application.

Upstream replaces ``sqlalchemy.ext.asyncio.create_async_engine`` at once, and thereby imports all of the ORM, 65 ms and
5 MiB. It also has two spans for each statement then: what is imported after ``create_engine`` was replaced calls the
replaced one, and needs no second tracer. So only what the application has imported before is replaced there.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

import wrapt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_UPSTREAM = "opentelemetry.instrumentation.sqlalchemy"
_WRAP = "_w"  # upstream's name for wrapt.wrap_function_wrapper
_PACKAGE, _NAME = "sqlalchemy.ext", "asyncio"


def sqlalchemy(instrumentor: Any, options: dict[str, Any], *, late: bool) -> Callable[[], None]:
    """Turn upstream's on without importing anything, and for ``late`` see the engines that exist already."""
    from spanglass.instrumentors.databases import engines  # noqa: PLC0415 - it imports SQLAlchemy

    with _attribute(import_module(_UPSTREAM), _WRAP, _wrap_if_imported):
        instrumentor.instrument(skip_dep_check=True, **options)
    undo = ExitStack()
    undo.callback(_uninstrument, instrumentor)
    undo.callback(engines.time_engines(options["meter_provider"]))
    if late:
        undo.callback(engines.trace_engines_made_before(options["tracer_provider"], options["meter_provider"]))
    return undo.close


def _wrap_if_imported(module: str, name: str, wrapper: Any) -> None:
    if module in sys.modules:
        wrapt.wrap_function_wrapper(module, name, wrapper)


def _uninstrument(instrumentor: Any) -> None:
    if f"{_PACKAGE}.{_NAME}" in sys.modules:
        instrumentor.uninstrument()
        return
    with _attribute(import_module(_PACKAGE), _NAME, ModuleType(_NAME)):  # upstream looks into it without importing it
        instrumentor.uninstrument()


@contextmanager
def _attribute(owner: ModuleType, name: str, value: object) -> Iterator[None]:
    """Set a module's attribute for as long as this lasts, unless somebody sets another meanwhile."""
    missing = object()
    before = getattr(owner, name, missing)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if getattr(owner, name, missing) is value:
            if before is missing:
                delattr(owner, name)
            else:
                setattr(owner, name, before)
