"""One log record of the application on its way to OpenTelemetry: severity, attributes, logger, and no loops."""

from __future__ import annotations

import re
import sys
import threading
from inspect import unwrap
from typing import TYPE_CHECKING, Any

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import get_current, get_value
from opentelemetry.instrumentation.log_utils import std_to_otel
from opentelemetry.trace import INVALID_SPAN_ID, SpanContext, format_span_id, format_trace_id, get_current_span

from spanglass.clock import NS_PER_S
from spanglass.exceptions.in_app import is_telemetry
from spanglass.sdk.private.published import SUPPRESS_KEY
from spanglass.values import attribute_value, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping
    from datetime import datetime
    from types import CodeType, FrameType

    from opentelemetry._logs import Logger, LoggerProvider
    from opentelemetry.util.types import AnyValue

    from spanglass.exceptions.capture import Capture

#: Names that are remembered; an application that makes one for each object or request must not fill memory.
_MAX_NAMES = 1_024
_MAX_BODY = 65_536

#: Values of one record; OpenTelemetry keeps 128 attributes, and drops those that were put in first.
_MAX_VALUES = 100
_ESCAPE = "\x1b"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_TEXTS = {"WARNING": "WARN", "CRITICAL": "FATAL"}
_DEBUG = 10
_INT64 = 2**63


class _Thread(threading.local):
    """What this thread is in the middle of."""

    sending = False  # a record is being sent: what that logs is not sent
    handing = 0  # libraries that have handed records to handlers, which may be running now
    ids: tuple[SpanContext | None, tuple[str, str]] = (None, ("", ""))  # of the last span that logged, as text
    passed_on = ""  # the stdlib logger that gets a text next which structlog wrote: it was sent already


in_thread = _Thread()

#: Libraries whose handlers may pass records on to another library.
STDLIB, LOGURU = 1, 2
_MAX_FRAMES = 20  # between a handler that passes a record on and the library that hands it the first one
_handing: dict[CodeType, int] = {}


def handing_in(library: int, function: Callable[..., Any]) -> None:
    """Note the function in which a library's handlers run."""
    code = getattr(unwrap(function), "__code__", None)  # our own wrappers have one code, whatever they are around
    if code is not None:
        _handing[code] = library


def inside_of(library: int) -> bool:
    """Return whether a handler of this library passes a record on: it was sent already.

    The stack says so: a mark that is set while handlers run would take a frame of ours among theirs.
    """
    if not in_thread.handing & library:
        return False
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - what stdlib logging uses too
    for _ in range(_MAX_FRAMES):
        if frame is None:
            break
        found = _handing.get(frame.f_code)
        if found is not None:
            return found == library
        frame = frame.f_back
    in_thread.handing &= ~library
    return False


class Sender:
    """Sends records to one provider. Safe for threads and forks: it has no lock, thread or buffer."""

    def __init__(self, provider: LoggerProvider, capture: Capture | None) -> None:
        """Without ``capture`` exceptions are described as OpenTelemetry does."""
        self._provider = provider
        self._capture = capture
        self._loggers: dict[str, Logger | None] = {}

    def wants(self, name: str) -> bool:
        """Return whether records of this logger are sent here and now: none of our own, none of what sends them."""
        if in_thread.sending or self._logger(name) is None:
            return False
        return not get_value(SUPPRESS_KEY)

    def send(
        self,
        name: str,
        *,
        body: str,
        level: int,
        level_name: str,
        time_ns: int | None,
        attributes: dict[str, AnyValue],
        error: BaseException | None = None,
        event_name: str | None = None,
    ) -> None:
        """Send one record of the logger ``name``; ``level`` as in stdlib, ``time_ns`` since 1970."""
        logger = self._logger(name)
        if logger is None or in_thread.sending:
            return
        in_thread.sending = True
        try:
            if error is not None and self._capture is not None:
                attributes |= self._capture.log_attributes(error)
                error = None
            logger.emit(
                LogRecord(
                    timestamp=time_ns,
                    context=get_current(),
                    severity_number=severity_of(level),
                    severity_text=severity_text(level_name),
                    body=text_of(without_colours(body), _MAX_BODY),
                    attributes=attributes,
                    event_name=event_name,
                    exception=error,
                )
            )
        finally:
            in_thread.sending = False

    def _logger(self, name: str) -> Logger | None:
        try:
            return self._loggers[name]
        except KeyError:
            if len(self._loggers) >= _MAX_NAMES:
                self._loggers.clear()
            found = None if is_telemetry(name) else self._provider.get_logger(name)
            self._loggers[name] = found
            return found


def severity_of(level: int) -> SeverityNumber:
    """Return the severity of a stdlib level, which loguru and structlog use too; below DEBUG it is TRACE."""
    return std_to_otel(level) if level >= _DEBUG or level <= 0 else SeverityNumber.TRACE


def severity_text(level_name: str) -> str:
    """Return the conventions' name where they differ, else the application's own: SUCCESS, NOTICE."""
    return _TEXTS.get(level_name) or text_of(level_name)


def without_colours(text: str) -> str:
    """Leave out a terminal's colours, which Werkzeug writes into its messages: no search would find the text."""
    return _COLOURS.sub("", text) if _ESCAPE in text else text


def put_values(attributes: dict[str, AnyValue], values: Mapping[Any, object], skip: Container[str] = ()) -> None:
    """Add the application's values, as OpenTelemetry takes them; None is left out."""
    for key in [key for key in values if key not in skip][:_MAX_VALUES]:
        value = values[key]
        name = key if type(key) is str else text_of(key)
        if value is not None and name:
            attributes[name] = plain_value(value)


def plain_value(value: object) -> AnyValue:
    """Return a value as OpenTelemetry takes it; whole numbers, the most frequent after text, by a short way."""
    return value if type(value) is int and -_INT64 <= value < _INT64 else attribute_value(value)


def time_ns_of(time: datetime) -> int:
    """Return nanoseconds since 1970 of a time with a zone; as a float it would lose the microseconds."""
    return int(time.timestamp() // 1) * NS_PER_S + time.microsecond * 1_000


def current_ids() -> tuple[str, str]:
    """Give trace id and span id as hexadecimal text, both empty outside of spans."""
    context = get_current_span().get_span_context()
    if context.span_id == INVALID_SPAN_ID:
        return "", ""
    known, ids = in_thread.ids
    if known is not context:  # one span often logs several times, and writing both takes 1 us
        ids = format_trace_id(context.trace_id), format_span_id(context.span_id)
        in_thread.ids = (context, ids)
    return ids
