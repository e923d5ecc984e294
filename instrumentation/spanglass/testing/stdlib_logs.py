"""Records of stdlib logging in a block of ``capture``, where no instrumentation sends them already."""

from __future__ import annotations

import logging
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry import _logs
from opentelemetry._logs import SeverityNumber

if TYPE_CHECKING:
    from collections.abc import Iterator

# Levels of stdlib logging and the severities that the log data model gives them.
_SEVERITIES = (
    (logging.CRITICAL, SeverityNumber.FATAL),
    (logging.ERROR, SeverityNumber.ERROR),
    (logging.WARNING, SeverityNumber.WARN),
    (logging.INFO, SeverityNumber.INFO),
    (logging.DEBUG, SeverityNumber.DEBUG),
    (logging.NOTSET, SeverityNumber.TRACE),
)
_SENDERS = ("opentelemetry.", "spanglass.")


class CaptureHandler(logging.Handler):
    """Emits a record through OpenTelemetry's API, with the trace context of the thread that logs."""

    def emit(self, record: logging.LogRecord) -> None:
        """Emit one record; its scope is the stdlib logger's name."""
        attributes: dict[str, str] = {}
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            attributes["exception.type"] = type(error).__qualname__
            attributes["exception.message"] = str(error)
            attributes["exception.stacktrace"] = "".join(traceback.format_exception(error))
        severity = next(number for level, number in _SEVERITIES if record.levelno >= level)
        _logs.get_logger(record.name).emit(
            timestamp=int(record.created * 1e9),
            severity_number=severity,
            severity_text=record.levelname,
            body=record.getMessage(),
            attributes=attributes,
        )


@contextmanager
def stdlib_records() -> Iterator[None]:
    """Emit the records of stdlib logging during the block, unless a handler at the root logger already does."""
    root = logging.getLogger()
    if any(type(handler).__module__.startswith(_SENDERS) for handler in root.handlers):
        yield
        return
    handler = CaptureHandler()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
