"""Where an exception is told: once an occurrence in full on a span event and on a log record, then by its id.

docs/app/exceptions.md says which exceptions become log records.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import TYPE_CHECKING

from opentelemetry._logs import SeverityNumber
from opentelemetry.context import get_current
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.exception_attributes import EXCEPTION_ESCAPED
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, get_current_span, set_span_in_context

from spanglass.exceptions.chain import ChainReader
from spanglass.exceptions.describing import Description, brief, describe, plain
from spanglass.exceptions.expected import is_expected
from spanglass.exceptions.occurrence import Occurrence, occurrence_of
from spanglass.exceptions.reading import NoScrubber, Scrubber, random_id
from spanglass.sdk.published import SCOPE
from spanglass.values import attributes_of, class_name
from spanglass_core.attribute_names import EXCEPTION_HANDLED, EXCEPTION_OCCURRENCE_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry._logs import LoggerProvider
    from opentelemetry.sdk.trace import Span
    from opentelemetry.util.types import AnyValue, Attributes

    from spanglass.settings.settings import Settings

__all__ = ["EVENT_NAME", "Capture", "new_capture", "unhandled"]

#: Event name of our log records, and name of the span events.
EVENT_NAME = "exception"

#: True while what is logged was handled by nobody: asyncio logs what reached its handler.
unhandled: ContextVar[bool] = ContextVar("spanglass_unhandled", default=False)

_CALLS = frozenset({SpanKind.CLIENT, SpanKind.PRODUCER})
_SEVERITY_TEXTS = {SeverityNumber.ERROR: "ERROR", SeverityNumber.FATAL: "FATAL"}


class Capture:
    """Tells exceptions by one configuration. Safe for threads and forks: it has no lock, thread or buffer."""

    def __init__(
        self,
        chains: ChainReader,
        logger_provider: LoggerProvider,
        new_id: Callable[[], str],
        now_ns: Callable[[], int],
    ) -> None:
        """``now_ns`` is nanoseconds since 1970; ``new_id`` gives a different text each time."""
        self._chains = chains
        self._provider = logger_provider
        self._new_id = new_id
        self._now_ns = now_ns

    def record_on_span(
        self,
        span: Span,
        error: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        *,
        escaped: bool = False,
        left: bool = False,
    ) -> None:
        """Add the event ``exception`` to a span, once an occurrence and span.

        ``left`` says that the exception leaves the span: it becomes the span's ``error.type``, and if the span is the
        local root, beyond which no code of the application can handle it, a log record too. A call to another service
        is no such root: whoever made it may still handle what comes back.
        """
        context = span.get_span_context()
        occurrence = self._occurrence(error, context)
        told = None
        if occurrence.last_span_id != context.span_id or attributes:
            told = self._tell(error, briefly=occurrence.in_span)
            occurrence.in_span, occurrence.last_span_id = True, context.span_id
            own = {EXCEPTION_ESCAPED: str(escaped), EXCEPTION_OCCURRENCE_ID: occurrence.id}
            span.add_event(EVENT_NAME, {**told.attributes, **own, **(attributes or {})}, timestamp)
        if not left:
            return
        if ERROR_TYPE not in (span.attributes or {}):
            span.set_attribute(ERROR_TYPE, class_name(type(error)))
        if not occurrence.in_log and span.kind not in _CALLS and (span.parent is None or span.parent.is_remote):
            self._emit(error, occurrence, told if told and told.more else None, handled=False)

    def log_attributes(self, error: BaseException) -> dict[str, AnyValue]:
        """Return the attributes of a log record that carries an exception."""
        if is_expected(error):
            return plain(self._chains, error).attributes
        occurrence = self._occurrence(error, get_current_span().get_span_context())
        found = self._tell(error, briefly=occurrence.in_log).attributes
        occurrence.in_log = True
        return {**found, EXCEPTION_OCCURRENCE_ID: occurrence.id, EXCEPTION_HANDLED: not unhandled.get()}

    def report(
        self,
        error: BaseException,
        *,
        handled: bool,
        fatal: bool = False,
        attributes: Mapping[str, object] | None = None,
        group: Attributes = None,
    ) -> str:
        """Send a log record of an exception, whatever was sent before; returns the occurrence's id.

        ``attributes`` are the application's, of any kind; ``group`` has the one that names its group, if any.
        """
        occurrence = self._occurrence(error, get_current_span().get_span_context())
        more = {**(attributes_of(attributes, {}) or {}), **(group or {})}
        self._emit(error, occurrence, None, handled=handled, fatal=fatal, more=more)
        return occurrence.id

    def report_once(self, error: BaseException) -> None:
        """Send a log record of an exception that nobody handled, unless one tells it already."""
        occurrence = self._occurrence(error, get_current_span().get_span_context())
        if not occurrence.in_log:
            self._emit(error, occurrence, None, handled=False)

    def _emit(
        self,
        error: BaseException,
        occurrence: Occurrence,
        told: Description | None,
        *,
        handled: bool,
        fatal: bool = False,
        more: Mapping[str, AnyValue] | None = None,
    ) -> None:
        told = told or self._tell(error, briefly=occurrence.in_log)
        occurrence.in_log = True
        own: dict[str, AnyValue] = {EXCEPTION_OCCURRENCE_ID: occurrence.id, EXCEPTION_HANDLED: handled}
        severity = SeverityNumber.FATAL if fatal else SeverityNumber.ERROR
        self._provider.get_logger(SCOPE).emit(
            timestamp=self._now_ns(),
            context=set_span_in_context(NonRecordingSpan(occurrence.place), get_current()),
            severity_number=severity,
            severity_text=_SEVERITY_TEXTS[severity],
            body=told.line,
            attributes={**told.attributes, **told.place, **own, **(more or {})},
            event_name=EVENT_NAME,
        )

    def _tell(self, error: BaseException, *, briefly: bool) -> Description:
        return brief(self._chains, error) if briefly else describe(self._chains, error)

    def _occurrence(self, error: BaseException, span: SpanContext) -> Occurrence:
        return occurrence_of(error, span, self._now_ns(), self._new_id)


def new_capture(
    settings: Settings,
    *,
    logger_provider: LoggerProvider,
    scrubber: Scrubber | None = None,
    ids: Callable[[], str] = random_id,
    clock: Callable[[], int] = time.time_ns,
    stopwatch: Callable[[], int] = time.perf_counter_ns,
) -> Capture:
    """Make the capture of one configuration.

    ``clock`` is nanoseconds since 1970, ``stopwatch`` nanoseconds from anywhere, ``ids`` gives a different text each
    time. Without a scrubber nothing is scrubbed.
    """
    return Capture(ChainReader(settings, scrubber or NoScrubber(), stopwatch), logger_provider, ids, clock)
