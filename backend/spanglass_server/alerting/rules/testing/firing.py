"""Which alerts fire at which times of a test: the evaluator and the state machine of the server, over its series."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_core.alerting.machine import advance, policy_of
from spanglass_core.alerting.severity import SEVERITIES
from spanglass_core.alerting.states import INITIAL, Phase, Sample
from spanglass_server.alerting.evaluation.evaluator import Defaults, RuleEvaluator
from spanglass_server.alerting.model import Failure
from spanglass_server.alerting.rules.presenting import asking, presented
from spanglass_server.alerting.rules.templates.expanding import expand_or_say
from spanglass_server.alerting.rules.templates.values import Filling

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from spanglass_core.alerting.rule import Rule
    from spanglass_core.alerting.severity import Severity
    from spanglass_server.alerting.model import Key, Readings
    from spanglass_server.alerting.rules.testing.model import RuleTest
    from spanglass_server.alerting.rules.testing.series import GivenSeries
    from spanglass_server.promql.series.vectors import Steps

_NAME = "alertname"
#: The state machine takes no sample at the very beginning of time, where tests begin.
_BEGIN_NS = 10**18


@dataclass(frozen=True, slots=True)
class FiringAlert:
    """An alert that fires at one time."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    severity: Severity
    value: float
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Scene:
    """The rules of a test with its series and the times at which they are evaluated."""

    test: RuleTest
    rules: Sequence[Rule]
    source: GivenSeries
    steps: Steps
    interval_ns: int

    def firing(self, places: frozenset[int]) -> dict[int, list[tuple[str, FiringAlert | str]]]:
        """By the steps that are asked for: names of rules with their alerts, or with why their evaluation failed."""
        evaluator = RuleEvaluator(lambda _: self.source, defaults=Defaults(interval_ns=self.interval_ns))
        rules = [rule for rule in self.rules if rule.enabled]
        said = evaluator.evaluate(None, rules, self.steps)  # type: ignore[arg-type] # the series need no session
        found: dict[int, list[tuple[str, FiringAlert | str]]] = {place: [] for place in places}
        for rule in rules:
            readings = said[rule.uid]
            if isinstance(readings, Failure):
                for place in places:
                    found[place].append((rule.name, readings.message))
                continue
            for place, key, severity, value in _firing(rule, readings, self.interval_ns, places):
                found[place].append((rule.name, self._alert(rule, key, severity, value, int(readings.times_ns[place]))))
        return found

    def _alert(self, rule: Rule, key: Key, severity: Severity, value: float, time_ns: int) -> FiringAlert:
        filling = Filling(
            labels=dict(key),
            value=value,
            external_labels=self.test.external_labels,
            external_url=self.test.external_url,
            query=asking(self.source, time_ns),
        )
        words = presented(rule, filling)
        return FiringAlert(
            {**words.labels, _NAME: rule.name},
            words.annotations,
            severity,
            value,
            expand_or_say(rule.title, filling),
            expand_or_say(rule.description, filling),
        )


def _firing(
    rule: Rule, readings: Readings, interval_ns: int, places: frozenset[int]
) -> Iterator[tuple[int, Key, Severity, float]]:
    """Each key through the state machine; the value of an alert is the last one that it fired with."""
    policy = policy_of(rule, interval_ns)
    times = readings.times_ns.tolist()
    for row in np.flatnonzero(readings.levels.any(axis=1) | (rule.no_data == "alert")).tolist():
        state, fired_with = INITIAL, math.nan
        for place, time_ns in enumerate(times):
            sample = _sample(readings, row, place, time_ns)
            sample = _sample(readings, row, place, time_ns + _BEGIN_NS)
            state, _ = advance(state, sample, policy, sample.time_ns)
            if sample.level is not None and sample.value is not None:
                fired_with = sample.value
            if place in places and state.phase in (Phase.FIRING, Phase.KEEP_FIRING):
                yield place, readings.keys[row], state.severity or rule.severity, fired_with


def _sample(readings: Readings, row: int, place: int, time_ns: int) -> Sample:
    value = float(readings.values[row, place])
    return Sample(
        time_ns,
        None if math.isnan(value) else value,
        _level(readings.levels, row, place),
        bool(readings.recovered[row, place]),
        holding=_level(readings.holding, row, place),
    )


def _level(ranks: NDArray[np.int8] | None, row: int, place: int) -> Severity | None:
    rank = 0 if ranks is None else int(ranks[row, place])
    return SEVERITIES[rank - 1] if rank else None
