"""Bounds that the SDK (1.45) leaves open: the length of one attribute's value, and how often it says so.

As OpenTelemetry's specification says (common, attribute limits). Sets of attributes: ``private/metrics.py``.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from opentelemetry.sdk._logs import LogRecordLimits
from opentelemetry.sdk.environment_variables import OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT
from opentelemetry.sdk.trace import SpanLimits

if TYPE_CHECKING:
    from collections.abc import Callable

#: Characters of one value; a server cuts at as many bytes unless it is told otherwise (storage.max_value_bytes).
MAX_VALUE = 128 * 1024


def span_limits() -> SpanLimits:
    """Return the limits of spans: what OpenTelemetry's variables say, and else a bound for texts."""
    return SpanLimits(max_attribute_length=_value_limit())


def log_limits() -> LogRecordLimits:
    """Return the limits of log records, likewise."""
    return LogRecordLimits(max_attribute_length=_value_limit())


class _Once(logging.Filter):
    """Lets the first record of each message pass."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether this is the first of its kind."""
        first = record.msg not in self._seen
        self._seen.add(str(record.msg))
        return first


def say_once() -> Callable[[], None]:
    """Have the SDK say once that an attribute was too much, not for each of them; returns what takes that back."""
    logger, once = logging.getLogger("opentelemetry.attributes"), _Once()
    logger.addFilter(once)
    return lambda: logger.removeFilter(once)


def _value_limit() -> int | None:
    return None if os.environ.get(OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT) else MAX_VALUE
