"""The entry: a rule over a range of what is stored, evaluated and followed as live evaluation would have done."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

from spanglass_core.alerting.machine import policy_of
from spanglass_core.units import format_duration
from spanglass_server.alerting.backtest.days import days
from spanglass_server.alerting.backtest.drawing import Drawing
from spanglass_server.alerting.backtest.histories import Figures, history, totals
from spanglass_server.alerting.backtest.quieter import Tried, quieter
from spanglass_server.alerting.backtest.shown import failure, thresholds
from spanglass_server.alerting.backtest.ticks import Ticks
from spanglass_server.alerting.backtest.tuning import Tuning, tuning_of
from spanglass_server.alerting.backtest.walking import Task, walk
from spanglass_server.alerting.watching import silence
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.window import describe
from spanglass_server.store.ports import Window
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from spanglass_core.alerting.rule import Rule
    from spanglass_core.alerting.states import Policy
    from spanglass_server.alerting.backtest.answers import Backtest, Suggestion, TestedSeries
    from spanglass_server.alerting.backtest.fires import Fire
    from spanglass_server.alerting.backtest.walking import Walk, Watched
    from spanglass_server.alerting.model import Key
    from spanglass_server.alerting.ports import Evaluator
    from spanglass_server.promql.series.vectors import Steps
    from spanglass_server.store.ports import QuerySession

_MOST_KEYS = 200  # with their spans
_MOST_SERIES = 12  # in the chart
#: Quieter rules are tried on so many keys that fired: each try of 5,000 keys takes 6 s.
_MOST_TRIED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a range is walked: ``step_ns`` coarser than the interval if the reader asked for that, 0 if not.

    ``interval_ns`` is that of rules without one; ``zone`` that of the days; after ``limit_s`` seconds the answer is
    what has been found until then. ``live`` says at which ticks anything had come in: at the others live evaluation
    changes nothing.
    """

    interval_ns: int = 15 * NS_PER_SECOND
    step_ns: int = 0
    zone: tzinfo = UTC
    limit_s: float = 20.0
    clock: Callable[[], float] = time.monotonic
    live: Callable[[QuerySession, Steps], NDArray[np.bool_]] = silence.live


def backtest(session: QuerySession, evaluator: Evaluator, rule: Rule, window: Window, options: Options) -> Backtest:
    """What a rule would have done in a window, at the ticks of live evaluation.

    Raises ``BadQuestionError`` for a step that is no multiple of the interval, ``QueryError`` if nothing could be
    evaluated in time. A condition that can't be evaluated is the answer's ``failure``.
    """
    interval_ns = rule.interval_ns or options.interval_ns
    ticks = Ticks.within(window, _step(interval_ns, options.step_ns))
    until = options.clock() + options.limit_s
    task = Task(session, evaluator, rule, ticks, lambda: options.clock() < until, options.live)
    drawing = Drawing(ticks)
    policy = _policy(rule, interval_ns, ticks.step_ns)
    found = walk(task, policy, drawing.take)
    complete = found.ticks == ticks.count
    evaluated = Window(window.start_ns, window.end_ns if complete else ticks.at(found.ticks))
    tested = _Tested(task, policy, found, evaluated, tuning_of(rule))
    return {
        "window": describe(window),
        "evaluated": describe(evaluated),
        "complete": complete,
        "interval_ns": interval_ns,
        "step_ns": ticks.step_ns,
        "ticks": found.ticks,
        "unit": found.unit,
        "direction": tested.tuning.direction,
        "thresholds": thresholds(found.thresholds),
        "totals": totals(found, evaluated.end_ns),
        "days": days(tested.fires(), window.start_ns, evaluated.end_ns, options.zone),
        "keys": [history(each, evaluated.end_ns, below=tested.tuning.below) for each in tested.ranked()[:_MOST_KEYS]],
        "keys_left_out": max(0, len(tested.ranked()) - _MOST_KEYS),
        "series": tested.series(drawing),
        "suggestions": tested.suggestions(),
        "warnings": [*found.warnings, *_coarser(interval_ns, ticks.step_ns)],
        "failure": failure(found.failure),
    }


def _step(interval_ns: int, asked_ns: int) -> int:
    if asked_ns in {0, interval_ns}:
        return interval_ns
    if asked_ns < interval_ns or asked_ns % interval_ns:
        raise BadQuestionError(
            f"the step {format_duration(asked_ns)} is no multiple of the rule's interval",
            field="step",
            hint=f"leave it out, or take a multiple of {format_duration(interval_ns)}",
        )
    return asked_ns


def _policy(rule: Rule, interval_ns: int, step_ns: int) -> Policy:
    """What the state machine needs; steps that are coarser by wish are no missed evaluations."""
    policy = policy_of(rule, interval_ns)
    return replace(policy, max_gap_ns=policy.max_gap_ns * step_ns // interval_ns)


def _coarser(interval_ns: int, step_ns: int) -> list[str]:
    if step_ns == interval_ns:
        return []
    step, interval = format_duration(step_ns), format_duration(interval_ns)
    return [f"evaluated every {step}, as was asked, and not every {interval}: short fires may be missing"]


@dataclass(frozen=True, slots=True)
class _Tested:
    """A rule that was walked over a window."""

    task: Task
    policy: Policy
    found: Walk
    window: Window
    tuning: Tuning

    def fires(self) -> list[Fire]:
        return [fire for each in self.found.watched.values() for fire in each.fires]

    def ranked(self) -> list[Watched]:
        """Keys that fired or nearly did, those that fired longest first."""
        touched = [each for each in self.found.watched.values() if each.fires]
        return sorted(touched, key=lambda each: (-Figures.of(each.fires, self.window.end_ns).firing_ns, each.key))

    def series(self, drawing: Drawing) -> list[TestedSeries]:
        keys = drawing.worst((each.key for each in self.ranked()), _MOST_SERIES, below=self.tuning.below)
        return [drawing.series(key, self._changes(key)) for key in keys]

    def _changes(self, key: Key) -> list[tuple[int, float | None]]:
        watched = self.found.watched.get(key)
        return [(each.time_ns, each.value) for each in watched.replay.transitions] if watched else []

    def suggestions(self) -> list[Suggestion]:
        found, ranked = self.found, self.ranked()
        if not found.keeps_all or len(ranked) > _MOST_TRIED:
            found.warnings["too many keys crossed the threshold to look for quieter rules: narrow the condition"] = None
            return []
        return quieter(
            Tried(
                self.task.rule,
                self.policy,
                ranked,
                self.window.end_ns,
                self.task.ticks.step_ns,
                found.unit,
                next(iter(sorted(found.thresholds.items())), (0, None))[1] if self.tuning.tunable else None,
                operator=self.tuning.operator,
                in_time=self.task.in_time,
            )
        )
