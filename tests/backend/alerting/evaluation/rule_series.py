"""Made-up series that rules are evaluated over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from spanglass_core.alerting.rule import Rule
from spanglass_server.alerting.evaluation.evaluator import RuleEvaluator
from spanglass_server.alerting.model import Failure, Readings
from spanglass_server.promql.in_memory import SeriesInMemory
from spanglass_server.promql.notation import read_series
from spanglass_server.promql.series.vectors import Steps

if TYPE_CHECKING:
    from spanglass_server.promql.stored.discovery.kinds import MetricKind

MINUTE_MS = 60_000


@dataclass(frozen=True)
class MadeSeries(SeriesInMemory):
    """Implements ``RuleSeries``: series in memory, and what metrics are said to be."""

    known: dict[str, MetricKind] = field(default_factory=dict)

    def kinds(self, names, start_ms, end_ms):
        """What was given."""
        del start_ms, end_ms
        return {name: self.known[name] for name in names if name in self.known}

    def announce(self, texts, steps, options):
        """Nothing is made of it."""


class Counting:
    """The same as another source; ``reads`` is how often it was read."""

    def __init__(self, source: MadeSeries) -> None:
        self._source = source
        self.reads = 0

    def kinds(self, *asked):
        """As it is."""
        return self._source.kinds(*asked)

    def announce(self, texts, steps, options):
        """Nothing is made of it."""

    def lacking(self, *asked):
        """As it is."""
        return self._source.lacking(*asked)

    def select(self, selector):
        """As it is, counted."""
        self.reads += 1
        return self._source.select(selector)


def made(series: dict[str, str], kinds: dict[str, MetricKind] | None = None, step_ms: int = MINUTE_MS) -> MadeSeries:
    """Series in Prometheus' notation of unit tests, a value a minute from 0."""
    return MadeSeries(read_series(list(series.items()), step_ms), known=kinds or {})


def evaluator(source: MadeSeries | Counting, **more: Any) -> RuleEvaluator:
    """An evaluator that sees these series, whatever the session."""
    return RuleEvaluator(lambda _: source, **({"look": None} | more))


def rule(condition: str, **more: Any) -> Rule:
    """A rule by its condition."""
    return Rule(uid=more.pop("uid", "rule"), name="a rule", condition=condition, **more)


def reading(source: MadeSeries, condition: str, at_ms: int = 10 * MINUTE_MS, **more: Any) -> Readings | Failure:
    """What one rule says at one time."""
    one = rule(condition, **more)
    return evaluator(source).evaluate(None, [one], Steps(at_ms, 0, 1))[one.uid]


def told(found: Readings | Failure) -> dict[tuple[str, ...], tuple[float, int, bool]]:
    """For each key, by the values of its labels: value, level, and whether it has recovered, at the only step."""
    assert isinstance(found, Readings), found
    return {
        tuple(value for _, value in key): (
            float(np.round(found.values[row, 0], 6)),
            int(found.levels[row, 0]),
            bool(found.recovered[row, 0]),
        )
        for row, key in enumerate(found.keys)
    }
