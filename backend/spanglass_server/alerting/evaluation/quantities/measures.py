"""Quantities that are measures: ``error_rate``, ``p95(response_time{service="shop"}) by (route)``."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

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
from spanglass_server.alerting.evaluation.quantities.labels import grouped, matched
from spanglass_server.alerting.evaluation.quantities.present import seen_before
from spanglass_server.measures.grammar import MeasureQuery
from spanglass_server.measures.kinds import Durations, Share, Values

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_core.alerting.conditions.nodes import Quantity
    from spanglass_server.alerting.evaluation.quantities.expressions import Asked
    from spanglass_server.alerting.evaluation.quantities.labels import Matched
    from spanglass_server.measures.table import Measure

#: Of so few requests nobody should be woken, unless the rule says so: see docs/alert-rules.md, "Few samples".
LEAST_REQUESTS = 5
LEAST_FAILED = 3
_OF_REQUESTS = ("response_time", "query_time")
_PLACE = re.compile(r"(?:\w+)?\{[^{}]*<m>\}")
_COUNTED = ("spans_total", "log_records_total")
_EVENTS = ("", "/s")
#: A step of gauges that are looked at over a time: as fine as most send them, coarser over long times.
_STEPS_MS = (10_000, 60_000)
_STEPS_PER_WINDOW = 20


def measure_source(quantity: Quantity, measure: Measure, aggregate: str, asked: Asked) -> Source:
    """The source of a measure; ``aggregate`` is what stands before its name or around it."""
    if aggregate == "rate":
        hint = f"{measure.name} is a rate already" if measure.unit.endswith("/s") else "write promql(...) for that"
        raise RuleProblem(f"rate({measure.name}) is not possible", quantity.column, hint)
    by = grouped(quantity.by or asked.by) if quantity.by or asked.by else measure.kind.ids
    measured = _Measured(measure, aggregate, by, matched(quantity.conditions), asked.window_ms)
    if quantity.window_ns:
        measured = replace(measured, window_ms=milliseconds(quantity.window_ns), has_window=True)
    least, least_part = measured.least
    return Source(
        measured.value,
        measured.unit,
        quantity.column,
        measured.absence,
        measured.samples,
        least,
        least_part,
        tuple((each.label, each.value) for each in measured.conditions if each.is_fixed),
        measured.is_rate,
        measured.events,
    )


@dataclass(frozen=True, slots=True)
class _Measured:
    """A measure as it is asked for; ``has_window``: over a time that the condition names."""

    measure: Measure
    aggregate: str
    by: tuple[str, ...]
    conditions: tuple[Matched, ...]
    window_ms: int
    has_window: bool = False

    @property
    def unit(self) -> str:
        """The unit of its values."""
        if isinstance(self.measure.kind, Durations):
            return {"count": "/s", "sum": ""}.get(self.aggregate, self.measure.unit)
        return "" if self.aggregate == "count" else self.measure.unit

    @property
    def value(self) -> Expression:
        """Its values."""
        if self._is_zero_without:
            return self._shared(lambda asked: with_zeros(asked, self.window_ms))
        if self.is_rate or not self.has_window:
            return self._shared(lambda asked: asked(promql_duration(self.window_ms)))
        # of what is measured now and then, the mean over the time, or the largest or smallest in it
        function = f"{self.aggregate if self.aggregate in ('min', 'max') else 'avg'}_over_time"
        least, most = _STEPS_MS
        step_ms = min(max(self.window_ms // _STEPS_PER_WINDOW // least * least, least), most)
        usual = promql_duration(self.window_ms)
        return self._shared(lambda asked: f"{function}(({asked(usual)})[{usual}:{promql_duration(step_ms)}])")

    @property
    def samples(self) -> Expression:
        """How many requests, records or points are in the window."""
        return self._number(self._wholes)

    @property
    def events(self) -> Expression | None:
        """How many of what ``min_samples`` of a rule means, where these are not its samples."""
        kind = self.measure.kind
        return self._number(kind.events) if isinstance(kind, Share) and kind.events else None

    def _number(self, sources: tuple[str, ...]) -> Expression:
        number = Values(tuple(map(self._counting, sources)), self.measure.kind.ids, "sum")
        counted = replace(self, measure=replace(self.measure, kind=number), aggregate="")
        return counted._shared(lambda asked: asked(promql_duration(self.window_ms)))  # noqa: SLF001 - of its own kind

    @property
    def least(self) -> tuple[int, int]:
        """How many samples there must be, and how many of those that make a share too large."""
        if isinstance(self.measure.kind, Share):
            return 0, LEAST_FAILED if self.is_rate else 0
        plain = isinstance(self.measure.kind, Durations) and self.unit == "s"
        return (LEAST_REQUESTS if plain and self.measure.name in _OF_REQUESTS else 0), 0

    def absence(self, over_ms: int) -> Absence:
        """Where there is data of it."""
        if not self.is_rate:
            return seen_before(self._shared(lambda asked: asked(promql_duration(self.window_ms))), over_ms)
        # a rate needs two points, which most senders send within two minutes
        recent = promql_duration(max(over_ms, self.window_ms))
        known = promql_duration(max(over_ms, self.window_ms) + COUNTED_MS)
        return Absence(self._shared(lambda asked: asked(recent)), self._shared(lambda asked: asked(known)))

    def _shared(self, form: Callable[[Callable[[str], str]], str]) -> Expression:
        """The expression that ``form`` makes of the measure's PromQL for a window; and of that for all services."""
        plain = form(self._promql(self.conditions, self.by))
        ids = self.measure.kind.ids
        fixed = next((each for each in self.conditions if each.is_fixed and each.label in ids), None)
        if fixed is None:
            return Expression(plain, self.by)
        others = tuple(each for each in self.conditions if each is not fixed)
        shared = form(self._promql(others, tuple(dict.fromkeys((*self.by, fixed.label)))))
        return Expression(plain, self.by, shared=shared, picked=(fixed.label, fixed.value))

    def _promql(self, conditions: tuple[Matched, ...], by: tuple[str, ...]) -> Callable[[str], str]:
        query = MeasureQuery(self.measure, self.aggregate, by, tuple(each.text for each in conditions), "")
        return query.promql

    @property
    def _wholes(self) -> tuple[str, ...]:
        """What the values are computed of: all requests for a share of them."""
        match self.measure.kind:
            case Durations(seconds=seconds, milliseconds=others):
                return tuple(_count_rate(text) for text in (*seconds, *others))
            case Share(wholes=wholes):
                return wholes
            case Values(sources=sources):
                return sources

    @property
    def is_rate(self) -> bool:
        """Whether all of it is about what is in the window."""
        return all("<w>" in text for text in self._wholes)

    @property
    def _is_zero_without(self) -> bool:
        """Whether nothing in the window means 0: of what is counted, but not of durations and shares."""
        kind = self.measure.kind
        is_count = isinstance(kind, Values) and kind.otherwise is None and self.measure.unit != "ratio"
        return self.is_rate and (is_count or (isinstance(kind, Durations) and self.aggregate in ("count", "sum")))

    def _counting(self, source: str) -> str:
        """PromQL of how many there are in the window, from that of the value."""
        place = _PLACE.search(source)
        assert place is not None, source  # noqa: S101 - every source has a selector
        is_events = self.measure.unit in _EVENTS or not isinstance(self.measure.kind, Values)
        if is_events and source.startswith("sum by (<ids>) (rate("):
            return source.replace("rate(", "increase(", 1)
        if is_events and source.startswith(("sum by (<ids>) (increase(", "((sum by (<ids>) (rate(")):
            return source.replace("rate(", "increase(")
        function = "increase" if place[0].startswith(_COUNTED) else "count_over_time"
        return f"sum by (<ids>) ({function}({place[0]}[<w>]<o>))"


def _count_rate(text: str) -> str:
    name, brace, rest = text.partition("{")
    return f"sum by (<ids>) (rate({name}_count{brace}{rest}[<w>]<o>))"


def combined(prefix: str, aggregate: str, column: int) -> str:
    """The aggregation of ``p95(avg_response_time)``, if there is one."""
    if prefix and aggregate and prefix != aggregate:
        raise RuleProblem(f"{aggregate} of {prefix} is not possible", column, "leave one of them out")
    return prefix or aggregate
