"""OpenTelemetry's own ways to record an exception, replaced, so that every instrumentation tells exceptions well.

``Span.record_exception`` of the SDK, which all spans use; and what ``Logger.emit(exception=...)`` makes of one.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import Span

from spanglass.exceptions.expected import is_expected
from spanglass.exceptions.in_app import is_telemetry
from spanglass.guard import guarded
from spanglass.patching.patches import Replacement, replace
from spanglass.sdk.private.spans import log_exceptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.util.types import Attributes

    from spanglass.exceptions.capture import Capture


def install_recording(capture: Capture) -> Callable[[], None]:
    """Replace both; returns what takes them back."""
    undo = [replace(Span, "record_exception", lambda replaced: _record_exception(replaced, capture))]
    if place := log_exceptions():  # without it the SDK's own attributes remain
        undo.append(replace(*place, lambda replaced: _log_attributes(replaced, capture)))

    def take_back() -> None:
        for each in undo:
            each()

    return take_back


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
            caller = sys._getframe(1).f_globals.get("__name__", "")  # noqa: SLF001 - the way there is
            left = escaped or is_telemetry(caller)
            with guarded("record an exception on a span"):
                if self.is_recording():
                    capture.record_on_span(self, exception, attributes, timestamp, escaped=escaped, left=left)
                return
        replaced.original(self, exception, attributes, timestamp, escaped)

    return record_exception


def _log_attributes(replaced: Replacement, capture: Capture) -> Callable[[BaseException], Any]:
    def attributes_of_exception(exception: BaseException) -> Any:
        """Return a log record's attributes of its exception."""
        if replaced.active:
            with guarded("describe the exception of a log record"):
                return capture.log_attributes(exception)
        return replaced.original(exception)

    return attributes_of_exception
