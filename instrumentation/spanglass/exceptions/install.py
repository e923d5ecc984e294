"""Puts the capture of exceptions to work in this process: what nobody caught, and what OpenTelemetry records.

Nobody caught: in the main thread, in other threads, in asyncio, and where none can be raised. Each hook calls the one
that was there before, so what is printed stays as it was.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from spanglass.exceptions import telling
from spanglass.exceptions.capture import unhandled
from spanglass.exceptions.expected import is_expected
from spanglass.exceptions.recording import install_recording
from spanglass.guard import guarded
from spanglass.patching.imports import when_imported
from spanglass.patching.patches import Replacement, replace

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType, TracebackType

    from spanglass.exceptions.capture import Capture
    from spanglass.settings.settings import Settings

__all__ = ["install_exceptions", "install_hooks"]

_HANDLER = "call_exception_handler"


def install_exceptions(settings: Settings, capture: Capture) -> Callable[[], None]:
    """Install hooks and replacements, if the setting ``capture_exceptions`` is on; returns what takes all back.

    ``capture_exception`` of the application works in either case.
    """
    undo = ExitStack()
    undo.callback(telling.use(capture, unhandled=settings.capture_exceptions))
    if settings.capture_exceptions:
        undo.callback(install_recording(capture))
        undo.callback(install_hooks(capture))
    return undo.close


def install_hooks(capture: Capture) -> Callable[[], None]:
    """Install all hooks; returns what takes them back. Sending what waits at the end is not their duty."""
    undo = ExitStack()
    undo.callback(replace(sys, "excepthook", lambda replaced: _excepthook(replaced, capture)))
    undo.callback(replace(threading, "excepthook", lambda replaced: _thread_excepthook(replaced, capture)))
    undo.callback(replace(sys, "unraisablehook", lambda replaced: _unraisablehook(replaced, capture)))
    undo.callback(replace(asyncio.BaseEventLoop, _HANDLER, lambda replaced: _loop_handler(replaced, capture)))

    def wrap_uvloop(uvloop: ModuleType) -> None:
        undo.callback(replace(uvloop.Loop, _HANDLER, lambda replaced: _loop_handler(replaced, capture)))

    undo.callback(when_imported("uvloop", wrap_uvloop, doing="watch what loops of uvloop are left with"))
    return undo.close


def _excepthook(replaced: Replacement, capture: Capture) -> Callable[..., None]:
    def excepthook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if replaced.active and isinstance(error, BaseException) and not is_expected(error):
            with guarded("report what was not caught"):
                # Also if it was told before: only now it is known that it ends the process.
                capture.report(error, handled=False, fatal=True)
        replaced.original(kind, error, traceback)

    return excepthook


def _thread_excepthook(replaced: Replacement, capture: Capture) -> Callable[..., None]:
    def excepthook(args: threading.ExceptHookArgs) -> None:
        if replaced.active and not issubclass(args.exc_type, SystemExit):  # which only ends the thread
            _report_once(capture, args.exc_value, "report what a thread did not catch")
        replaced.original(args)

    return excepthook


def _unraisablehook(replaced: Replacement, capture: Capture) -> Callable[..., None]:
    def unraisablehook(unraisable: sys.UnraisableHookArgs) -> None:
        if replaced.active:
            _report_once(capture, unraisable.exc_value, "report what could not be raised")
        replaced.original(unraisable)

    return unraisablehook


def _loop_handler(replaced: Replacement, capture: Capture) -> Callable[..., None]:
    def call_exception_handler(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not replaced.active:
            replaced.original(loop, context)
            return
        # asyncio's own handler logs it: then that is the record which tells it, and ours would only repeat it.
        token = unhandled.set(True)
        try:
            replaced.original(loop, context)
        finally:
            unhandled.reset(token)
            _report_once(capture, context.get("exception"), "report what an event loop was left with")

    return call_exception_handler


def _report_once(capture: Capture, error: object, doing: str) -> None:
    with guarded(doing):
        if isinstance(error, BaseException) and not is_expected(error):
            capture.report_once(error)
