"""``capture_exception``: the application tells an exception that it handled."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import Span
from opentelemetry.trace import get_current_span

from spanglass.exceptions.expected import is_expected
from spanglass.guard import guarded
from spanglass.values import text_of
from spanglass_core.attribute_names import EXCEPTION_FINGERPRINT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass.exceptions.capture import Capture

__all__ = ["capture_exception", "use"]

_logger = logging.getLogger("spanglass")


class _Used:
    """What ``capture_exception`` tells to: nothing, or the capture of the running configuration."""

    capture: Capture | None = None
    unhandled = False  # whether exceptions are told that the application does not pass itself


def use(capture: Capture, *, unhandled: bool = False) -> Callable[[], None]:
    """Have ``capture_exception`` tell to this capture, and for ``unhandled`` also ``report_unhandled``.

    Returns what takes it back.
    """
    _Used.capture, _Used.unhandled = capture, unhandled

    def forget() -> None:
        if _Used.capture is capture:
            _Used.capture = None

    return forget


def capture_exception(
    error: BaseException | None = None,
    *,
    fingerprint: Sequence[str] | None = None,
    attributes: Mapping[str, object] | None = None,
    handled: bool = True,
) -> str:
    """Send an exception, by default the one that is being handled: as a log record, and on the current span.

    ``fingerprint`` is the group it shall belong to, instead of the one found from its stack; ``attributes`` are added
    to the log record. Returns the id of the occurrence, to show it to a user for example; "" if telemetry is off or
    there is no exception. Never raises.
    """
    found = error if error is not None else sys.exception()
    if not isinstance(found, BaseException):
        _logger.warning("capture_exception() found no exception: call it in an except block, or pass one")
        return ""
    capture = _Used.capture
    if capture is None:
        return ""
    with guarded("capture an exception"):
        group = _group(fingerprint)
        span = get_current_span()
        if isinstance(span, Span) and span.is_recording():
            capture.record_on_span(span, found, group)
        return capture.report(found, handled=handled, attributes=attributes, group=group)
    return ""


def report_unhandled(error: BaseException) -> None:
    """Send an exception that nobody handled as a log record of the current trace, unless one tells it already.

    For what is raised when the span that it belongs to has ended. Control flow is not told.
    """
    capture = _Used.capture
    if capture is not None and _Used.unhandled and not is_expected(error):
        with guarded("report an exception"):
            capture.report_once(error)


def _group(fingerprint: Sequence[str] | None) -> dict[str, list[str]]:
    """Return the attribute that names the group; the span event and the log record have it, whichever comes first."""
    if not fingerprint:
        return {}
    parts = (fingerprint,) if isinstance(fingerprint, str) else fingerprint
    return {EXCEPTION_FINGERPRINT: [text_of(part) for part in parts]}
