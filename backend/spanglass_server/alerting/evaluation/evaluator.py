"""Rules evaluated over what is stored: the ``Evaluator`` of the server."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from spanglass_core.alerting.conditions.nodes import Absent, walk
from spanglass_server.alerting.evaluation.planning import Plan, condition_of, metrics_of, plan_of
from spanglass_server.alerting.evaluation.pool import Pool
from spanglass_server.alerting.evaluation.problems import RuleProblem
from spanglass_server.alerting.evaluation.reading import read
from spanglass_server.alerting.evaluation.watched import watched
from spanglass_server.alerting.model import NOT_STORED, Failure
from spanglass_server.promql.engine import Options
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.evaluation.ports import Baselines, Forecasts, RuleSeries
    from spanglass_server.alerting.model import Readings
    from spanglass_server.promql.series.vectors import Steps
    from spanglass_server.promql.stored.discovery.kinds import MetricKind
    from spanglass_server.store.ports import QuerySession

#: What metrics are is looked up in the hour before.
_KNOWN_MS = 3_600_000
_MAX_PLANS = 8192

Look = Callable[["QuerySession", "Steps"], "NDArray[np.bool_]"]
Kinds = tuple[tuple[str, "MetricKind | None"], ...]


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for rules that say nothing else: settings ``alerting.window`` and ``alerting.interval``."""

    window_ns: int = 120 * 10**9
    interval_ns: int = 15 * 10**9


class RuleEvaluator:
    """Implements ``Evaluator``; safe for any thread. Plans are kept by rule, for as long as it stays as it is.

    ``look`` says at which steps anything was stored around them; None: at all of them.
    """

    def __init__(
        self,
        open_series: Callable[[QuerySession], RuleSeries],
        *,
        defaults: Defaults | None = None,
        baselines: Baselines | None = None,
        forecasts: Forecasts | None = None,
        look: Look | None = watched,
        options: Options | None = None,
    ) -> None:
        self._open_series = open_series
        self._defaults = defaults or Defaults()
        self._baselines = baselines
        self._forecasts = forecasts
        self._look = look
        self._options = replace(options or Options(), each_alone=True)
        self._plans: OrderedDict[str, tuple[Rule, Kinds, Plan | Failure]] = OrderedDict()
        self._lock = threading.Lock()

    def evaluate(self, session: QuerySession, rules: Sequence[Rule], steps: Steps) -> Mapping[str, Readings | Failure]:
        """See ``Evaluator``."""
        source = self._open_series(session)
        names = {name for rule in rules for name in _metrics(rule)}
        kinds = source.kinds(names, steps.start_ms - _KNOWN_MS, steps.end_ms) if names else {}
        plans = {rule.uid: self._plan(rule, kinds) for rule in rules}
        look = partial(self._look, session) if self._look is not None else None
        pool = Pool(source, self._canonical(steps), self._options, self._baselines, look, self._forecasts)
        pool.share(each for plan in plans.values() if isinstance(plan, Plan) for each in plan.expressions)
        return {uid: _read(plan, pool) for uid, plan in plans.items()}

    def check(self, rule: Rule) -> Failure | None:
        """See ``Evaluator``."""
        plan = self._plan(rule, {})
        return plan if isinstance(plan, Failure) else None

    def warnings(self, rule: Rule) -> tuple[str, ...]:
        """What may not be meant in a rule that can be evaluated, as far as it shows without data."""
        plan = self._plan(rule, {})
        if isinstance(plan, Failure):
            return ()
        return tuple(text for text in plan.warnings if not text.startswith(NOT_STORED))

    def _canonical(self, steps: Steps) -> Steps:
        """One step as one of many: counts of records are made for the distance of steps, so that it is the same."""
        return replace(steps, step_ms=steps.step_ms or self._defaults.interval_ns // NS_PER_MS)

    def _plan(self, rule: Rule, kinds: Mapping[str, MetricKind]) -> Plan | Failure:
        known = tuple((name, kinds.get(name)) for name in _metrics(rule))
        with self._lock:
            kept = self._plans.get(rule.uid)
            if kept is not None and kept[0] == rule and kept[1] == known:
                self._plans.move_to_end(rule.uid)
                return kept[2]
        try:
            plan: Plan | Failure = plan_of(rule, dict(known), self._defaults.window_ns // NS_PER_MS)
        except RuleProblem as problem:
            plan = problem.failure
        with self._lock:
            self._plans[rule.uid] = (rule, known, plan)
            while len(self._plans) > _MAX_PLANS:
                self._plans.popitem(last=False)
        return plan


def is_about_absence(rule: Rule) -> bool:
    """Whether a rule holds where data is missing: it says nothing while nothing comes in at all."""
    try:
        return any(isinstance(node, Absent) for node in walk(condition_of(rule)))
    except RuleProblem:
        return False


def _metrics(rule: Rule) -> tuple[str, ...]:
    try:
        return metrics_of(condition_of(rule))
    except RuleProblem:
        return ()


def _read(plan: Plan | Failure, pool: Pool) -> Readings | Failure:
    if isinstance(plan, Failure):
        return plan
    try:
        return read(plan, pool)
    except RuleProblem as problem:
        return problem.failure
