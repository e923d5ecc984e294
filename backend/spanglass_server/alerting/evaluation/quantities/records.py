"""Quantities that are counted from spans and log records: ``count(spans "status:error") by (http.route) over 5m``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_core.alerting.conditions.building import quoted
from spanglass_server.alerting.evaluation.problems import RuleProblem
from spanglass_server.alerting.evaluation.quantities.expressions import (
    COUNTED_MS,
    Absence,
    Expression,
    Source,
    milliseconds,
    promql_duration,
    with_zeros,
)
from spanglass_server.alerting.evaluation.quantities.histograms import Classic, aggregated
from spanglass_server.alerting.evaluation.quantities.labels import grouped
from spanglass_server.alerting.evaluation.quantities.measures import LEAST_REQUESTS
from spanglass_server.measures.kinds import quantile_of
from spanglass_server.promql.errors import BadFilterError
from spanglass_server.promql.stored.counting.filters import FILTER, check_filters
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from spanglass_core.alerting.conditions.nodes import IssueEvent, Quantity
    from spanglass_server.alerting.evaluation.quantities.expressions import Asked

_SIGNALS = {"spans": Signal.SPANS, "logs": Signal.LOGS}
_TOTALS = {"spans": "spans_total", "logs": "log_records_total"}
#: What tells issues apart, and what people call them.
ISSUE_LABELS = ("issue", "service_name", "title")
#: How long something that became of an issue is told of, if the rule does not say.
EVENT_WINDOW_MS = 900_000


def record_source(quantity: Quantity, asked: Asked, condition: str) -> Source:
    """The source of a count, a rate or a duration of records; ``condition`` is the text that it stands in."""
    check_filter(quantity.text, _SIGNALS[quantity.kind], condition, quantity.column)
    keys = quantity.by or asked.by
    records = _Records(
        quantity.kind,
        quantity.text,
        grouped(keys, of_records=True),
        milliseconds(quantity.window_ns) if quantity.window_ns else asked.window_ms,
    )
    number = Expression(records.counted("increase", promql_duration(records.window_ms)), records.by)
    if quantity.aggregate in ("count", "rate"):
        value = Expression(records.number(quantity.aggregate), records.by)
        unit = "/s" if quantity.aggregate == "rate" else ""
        return Source(value, unit, quantity.column, records.absence, number, is_counted=True)
    value = Expression(records.duration(quantity.aggregate), records.by)
    return Source(value, "s", quantity.column, records.absence, number, LEAST_REQUESTS, is_counted=True)


@dataclass(frozen=True, slots=True)
class _Records:
    """Spans or log records that a filter finds, by labels."""

    kind: str
    filter: str
    by: tuple[str, ...]
    window_ms: int

    def counted(self, function: str, window: str) -> str:
        """PromQL of how many there are, or how many a second."""
        return aggregated("sum", self.by, f"{function}({self._selector(_TOTALS[self.kind])}[{window}])")

    def number(self, aggregate: str) -> str:
        """The same, 0 where there are none."""
        function = "increase" if aggregate == "count" else "rate"
        if not self.by:
            return f"{self.counted(function, promql_duration(self.window_ms))} or vector(0)"
        return with_zeros(lambda window: self.counted(function, window), self.window_ms)

    def duration(self, aggregate: str) -> str:
        """PromQL of how long spans took."""
        parts = Classic(self._selector, promql_duration(self.window_ms), "span_duration_seconds")
        quantile = quantile_of(aggregate)
        if quantile is not None:
            return parts.quantile(quantile, self.by)
        return parts.average(self.by) if aggregate == "avg" else parts.total("increase", self.by)

    def absence(self, over_ms: int) -> Absence:
        """Where there are any."""
        recent, known = (
            Expression(self.counted("increase", promql_duration(window_ms)), self.by)
            for window_ms in (over_ms, over_ms + COUNTED_MS)
        )
        return Absence(recent, known)

    def _selector(self, name: str) -> str:
        return name + (f"{{__filter__={quoted(self.filter)}}}" if self.filter else "")


def event_expression(event: IssueEvent, asked: Asked, window_ms: int, condition: str) -> Expression:
    """How often something became of each issue in the window."""
    check_filter(event.filter, Signal.OCCURRENCES, condition, event.column)
    by = grouped(asked.by) if asked.by else ISSUE_LABELS
    filtered = f", __filter__={quoted(event.filter)}" if event.filter else ""
    selector = f'issue_events_total{{event="{event.kind}"{filtered}}}'
    return Expression(
        with_zeros(lambda window: aggregated("sum", by, f"increase({selector}[{window}])"), window_ms), by
    )


def check_filter(text: str, signal: Signal, condition: str, column: int) -> None:
    """Refuse a filter that can't be understood, with the place in the condition."""
    try:
        check_filters((text,), signal)
    except BadFilterError as error:
        begin = condition.find(text, column - 1) if text else -1
        message = error.message.removeprefix(f"{FILTER}: ")
        raise RuleProblem(message, begin + error.column if begin >= 0 else column) from None
