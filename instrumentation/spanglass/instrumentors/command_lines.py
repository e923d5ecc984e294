"""click: a command is a span, except one that starts a worker or a server.

Such a span lasts as long as the process, and everything that the process does would be below it. Commands of a class of
their own, such as Celery's, are left out too. Upstream takes every exception for an error, also ``ctx.exit(0)``; so the
span is made here.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import wrapt
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.trace import Status, StatusCode

from spanglass.exceptions.expected import is_expected
from spanglass.guard import guarded
from spanglass.values import class_name, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Span, Tracer

_SCOPE = "opentelemetry.instrumentation.click"
#: Packages whose commands run on and on.
_LONG_RUNNING = frozenset({"arq", "celery", "granian", "rq", "streamlit", "uvicorn"})
_OF_FLASK = frozenset({"run", "shell"})


def click(instrumentor: Any, options: dict[str, Any], *, late: bool) -> Callable[[], None]:
    """Make spans of commands; gives what takes that back."""
    del instrumentor, late
    tracer: Tracer = options["tracer_provider"].get_tracer(_SCOPE)
    core = import_module("click.core")
    original = core.Command.__dict__["invoke"]

    def invoke(wrapped: Any, command: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if type(command) is not core.Command or not args or _runs_on(command, args[0]):
            return wrapped(*args, **kwargs)
        with tracer.start_as_current_span(
            args[0].info_name or "click",
            attributes=_attributes(),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                return wrapped(*args, **kwargs)
            except BaseException as error:
                with guarded("record the end of a command"):
                    _ended(span, error)
                raise

    ours = wrapt.FunctionWrapper(original, invoke)
    core.Command.invoke = ours

    def take_back() -> None:
        if core.Command.__dict__.get("invoke") is ours:
            core.Command.invoke = original

    return take_back


def _runs_on(command: Any, context: Any) -> bool:
    """Whether a command starts a worker or a server."""
    module = getattr(command.callback, "__module__", None) or ""
    if context.info_name in _OF_FLASK and "flask" in {module.partition(".")[0], _package(context.obj)}:
        return True
    return module.partition(".")[0] in _LONG_RUNNING


def _package(value: object) -> str:
    return type(value).__module__.partition(".")[0]


def _attributes() -> dict[str, Any]:
    return {
        "process.command_args": sys.argv,
        "process.executable.name": sys.argv[0] if sys.argv else "",
        "process.exit.code": 0,
        "process.pid": os.getpid(),
    }


def _ended(span: Span, error: BaseException) -> None:
    """Tell how a command ended that did not return: an exit with 0 is no error, whoever raises it."""
    code = _exit_code(error)
    if not code:
        return
    span.set_attributes({"process.exit.code": code, ERROR_TYPE: class_name(type(error))})
    if not is_expected(error):
        span.record_exception(error)
    span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {text_of(error)}"))


def _exit_code(error: BaseException) -> int:
    """Return what the process is about to exit with."""
    code = getattr(error, "code" if isinstance(error, SystemExit) else "exit_code", 1)
    if code is None:
        return 0
    return code if isinstance(code, int) else 1
