"""Slow database calls: counted, and their spans say where in the application's code they were made.

It looks at spans as they end, in the thread that made the call. A fast call costs two comparisons. Only calls that have
a span are seen: with ``sample_ratio`` below 1, that share of them.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import SpanKind, StatusCode

from spanglass.clock import NS_PER_S
from spanglass.exceptions.in_app import in_app_rule
from spanglass.guard import guarded
from spanglass.library_metrics.callers import caller
from spanglass.sdk.private.spans import AtEnd, add_attributes
from spanglass.sdk.published import SCOPE
from spanglass_core.query_summary import query_summary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.sdk.trace import Span

    from spanglass.settings.settings import Settings

_BOUNDS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_OTHER = "_OTHER"

#: Summaries that the metrics tell apart; of more, the later ones share one.
_MOST_SUMMARIES = 200

#: Parents of counted calls that are remembered: an outer span of the same call ends right after the inner one.
_MOST_PARENTS = 1000

# New name, then the one before 1.23.
_SYSTEM = ("db.system.name", "db.system")
_TEXT = ("db.query.text", "db.statement")
_NAMESPACE = ("db.namespace", "db.name")


class SlowQueryProcessor(AtEnd):
    """Add it to the tracer provider; where among its processors does not matter."""

    def __init__(self, settings: Settings, *, meter_provider: MeterProvider) -> None:
        self._slow_ns = settings.slow_query_ns
        self._is_in_app = in_app_rule(settings.in_app_include, settings.in_app_exclude)
        meter = meter_provider.get_meter(SCOPE)
        self._duration = meter.create_histogram(
            "spanglass.db.slow_query.duration",
            "s",
            "Duration of database calls that are slow by the setting slow_query.",
            explicit_bucket_boundaries_advisory=_BOUNDS_S,
        )
        self._lock_failures = meter.create_counter(
            "spanglass.db.lock_failures", "{failure}", "Database calls that failed because of a lock."
        )
        self._summaries: set[str] = set()
        self._slow_parents: OrderedDict[int, None] = OrderedDict()
        self._locked_parents: OrderedDict[int, None] = OrderedDict()

    def ending(self, span: Span) -> None:
        """Look at a call that was slow or failed."""
        if span.kind is not SpanKind.CLIENT:
            return
        slow = (span.end_time or 0) - (span.start_time or 0) >= self._slow_ns
        failed = span.status.status_code is StatusCode.ERROR
        if slow or failed:
            with guarded("look at a slow or failed query"):
                self._look(span, slow=slow, failed=failed)

    def _look(self, span: Span, *, slow: bool, failed: bool) -> None:
        attributes: Mapping[str, Any] = span.attributes or {}
        system = _first(attributes, _SYSTEM)
        if not system:
            return
        if slow:
            self._slow(span, attributes, system)
        reason = lock_failure(_error(span)) if failed else None
        if reason and self._is_first(span, self._locked_parents):
            self._lock_failures.add(1, {"db.system.name": system, "error.type": reason})

    def _slow(self, span: Span, attributes: Mapping[str, Any], system: str) -> None:
        add_attributes(span, caller(self._is_in_app))
        if not self._is_first(span, self._slow_parents):
            return
        labels = {"db.system.name": system}
        if namespace := _first(attributes, _NAMESPACE):
            labels["db.namespace"] = namespace
        if summary := self._summary(attributes):
            labels["db.query.summary"] = summary
        self._duration.record(((span.end_time or 0) - (span.start_time or 0)) / NS_PER_S, labels)

    def _summary(self, attributes: Mapping[str, Any]) -> str:
        summary = str(attributes.get("db.query.summary") or query_summary(_first(attributes, _TEXT)))
        if summary in self._summaries:
            return summary
        if len(self._summaries) >= _MOST_SUMMARIES:
            return _OTHER
        self._summaries.add(summary)
        return summary

    def _is_first(self, span: Span, parents: OrderedDict[int, None]) -> bool:
        """Whether no span inside this one was the same call: a library's span around its driver's."""
        if span.parent is not None:
            parents[span.parent.span_id] = None
            if len(parents) > _MOST_PARENTS:
                parents.popitem(last=False)
        return span.get_span_context().span_id not in parents


def _first(attributes: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((str(attributes[name]) for name in names if name in attributes), "")


def _error(span: Span) -> str:
    """Collect what the span says of its error: the status, and the exception that was recorded."""
    parts = [span.status.description or ""]
    for event in span.events:
        if event.name == "exception":
            of_event = event.attributes or {}
            parts += [str(of_event.get("exception.type", "")), str(of_event.get("exception.message", ""))]
    return " ".join(parts)


#: Words of the error's type or message, in lower case, and what they mean. The first that is found counts.
_SIGNS = (
    ("deadlock", "deadlock"),
    ("locknotavailable", "lock_not_available"),
    ("could not obtain lock", "lock_not_available"),
    ("due to lock timeout", "lock_timeout"),
    ("lock wait timeout", "lock_timeout"),
    ("database is locked", "locked"),
    ("database table is locked", "locked"),
    ("could not serialize access", "serialization_failure"),
)


def lock_failure(error: str) -> str | None:
    """Name the kind of lock failure that an error's type and message tell of; None if it is about something else."""
    text = error.lower()
    return next((meaning for sign, meaning in _SIGNS if sign in text), None)
