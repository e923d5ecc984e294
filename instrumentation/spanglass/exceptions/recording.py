"""OpenTelemetry's own ways to record an exception, replaced, so that every instrumentation tells exceptions well.

``Span.record_exception`` of the SDK, which all spans use; what ``Logger.emit(exception=...)`` makes of one; and the two
blocks that exceptions leave: ``use_span``, which overlooks what is no ``Exception``, and ``with span``. In both an
exception whose ``__str__`` raises would be lost behind what it raises.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.context import attach, detach
from opentelemetry.sdk.trace import Span

from spanglass.exceptions.expected import is_expected, is_failure
from spanglass.exceptions.in_app import is_telemetry
from spanglass.guard import guarded
from spanglass.patching.patches import Replacement, replace
from spanglass.sdk.private.spans import agnostic_context_manager, log_exceptions
from spanglass.values import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType, TracebackType

    from opentelemetry.util.types import Attributes

    from spanglass.exceptions.capture import Capture

_PASSES_ON = "sentry_sdk.integrations.otlp"


def install_recording(capture: Capture) -> Callable[[], None]:
    """Replace them; returns what takes them back."""
    undo = ExitStack()
    undo.callback(replace(Span, "record_exception", lambda replaced: _record_exception(replaced, capture)))
    undo.callback(replace(Span, "__exit__", _exit))
    undo.callback(replace(trace, "use_span", lambda _: agnostic_context_manager(use_span)))
    if place := log_exceptions():  # without it the SDK's own attributes remain
        undo.callback(replace(*place, lambda replaced: _log_attributes(replaced, capture)))
    return undo.close


def use_span(
    span: trace.Span,
    end_on_exit: bool = False,  # noqa: FBT001, FBT002 - the signature that is replaced
    record_exception: bool = True,  # noqa: FBT001, FBT002
    set_status_on_exception: bool = True,  # noqa: FBT001, FBT002
) -> Iterator[trace.Span]:
    """Make a span current in a block, as OpenTelemetry's does, and tell what fails in it, whatever that is."""
    try:
        token = attach(trace.set_span_in_context(span))
        try:
            yield span
        finally:
            detach(token)
    except BaseException as error:
        if isinstance(span, trace.Span) and span.is_recording() and is_failure(error):
            if record_exception:
                span.record_exception(error)
            if set_status_on_exception:
                span.set_status(_failed(error))
        raise
    finally:
        if end_on_exit:
            span.end()


def _exit(replaced: Replacement) -> Callable[..., None]:
    def leave(
        self: Span, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the span, and record the exception that leaves it."""
        if error is None or not replaced.active or _has_text(error):
            replaced.original(self, kind, error, traceback)
            return
        if self.is_recording():
            self.record_exception(error, escaped=True)
            self.set_status(_failed(error))
        replaced.original(self, None, None, None)

    return leave


def _failed(error: BaseException) -> trace.Status:
    return trace.Status(trace.StatusCode.ERROR, f"{type(error).__name__}: {text_of(error)}")


def _has_text(error: BaseException) -> bool:
    try:
        str(error)
    except Exception:  # noqa: BLE001 - the application's own
        return False
    return True


def _record_exception(replaced: Replacement, capture: Capture) -> Callable[..., None]:
    def record_exception(
        self: Span,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002 - the signature that is replaced
    ) -> None:
        """Record an exception as a span event."""
        if replaced.active and isinstance(exception, BaseException) and not is_expected(exception):
            # Instrumentations record what leaves a span, and say so only seldom; the application what it handles.
            left = escaped or is_telemetry(_caller(sys._getframe(1)))  # noqa: SLF001 - the way there is
            with guarded("record an exception on a span"):
                if self.is_recording():
                    capture.record_on_span(self, exception, attributes, timestamp, escaped=escaped, left=left)
                return
        replaced.original(self, exception, attributes, timestamp, escaped)

    return record_exception


def _caller(frame: FrameType) -> str:
    """Return the module that records an exception. Sentry's OTLP integration stands in between, and passes it on."""
    name: str = frame.f_globals.get("__name__", "")
    if name == _PASSES_ON and frame.f_back is not None:
        return _caller(frame.f_back)
    return name


def _log_attributes(replaced: Replacement, capture: Capture) -> Callable[[BaseException], Any]:
    def attributes_of_exception(exception: BaseException) -> Any:
        """Return a log record's attributes of its exception."""
        if replaced.active:
            with guarded("describe the exception of a log record"):
                return capture.log_attributes(exception)
        return replaced.original(exception)

    return attributes_of_exception
