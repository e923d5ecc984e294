"""What the alerter measures of itself."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field, replace
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from spanglass_core.alerting.severity import SEVERITIES
from spanglass_core.alerting.states import Health, Phase
from spanglass_server.alerting.watching.status import AlerterStatus, Evaluation, Gap, RuleStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spanglass_core.alerting.states import State
    from spanglass_server.alerting.model import Key
    from spanglass_server.alerting.running.keys import Fed

_EVALUATIONS = 50
_LAGS = 100
_GAPS = 20
_RECENT = 20
_FEW = 5  # ticks say nothing yet


@dataclass(slots=True)
class _Known:
    """What is known of one rule since the start."""

    status: RuleStatus = field(default_factory=RuleStatus)
    evaluations: deque[Evaluation] = field(default_factory=lambda: deque(maxlen=_EVALUATIONS))
    failures: int = 0  # in a row
    had_data: bool = False


class Figures:
    """Lags, failures and the status of each rule; one thread writes, any may read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: dict[str, _Known] = {}
        self._lags_ns: deque[int] = deque(maxlen=_LAGS)
        self._gaps: deque[Gap] = deque(maxlen=_GAPS)
        self._status = AlerterStatus()

    def ticked(self, time_ns: int, lag_ns: int) -> None:
        """Note that a tick was committed so long after it was due."""
        with self._lock:
            self._lags_ns.append(lag_ns)
            p50, p99 = np.percentile(list(self._lags_ns), [50, 99]).tolist()
            self._status = replace(
                self._status,
                last_tick_ns=time_ns,
                ticks=self._status.ticks + 1,
                lag_p50_ns=round(p50),
                lag_p99_ns=round(p99),
            )

    def recent_lag_ns(self) -> int:
        """The median lag of the last few ticks; 0 while there are hardly any."""
        with self._lock:
            recent = list(self._lags_ns)[-_RECENT:]
        return round(median(recent)) if len(recent) >= _FEW else 0

    def missed(self, gap: Gap) -> None:
        """Note ticks that will never be evaluated."""
        with self._lock:
            self._gaps.append(gap)
            self._status = replace(self._status, missed_ticks=self._status.missed_ticks + gap.ticks)

    def silent(self, since_ns: int) -> None:
        """Note since when nothing comes in; 0: something does."""
        with self._lock:
            self._status = replace(self._status, silent_since_ns=since_ns)

    @property
    def is_silent(self) -> bool:
        """Whether nothing comes in."""
        return self._status.silent_since_ns > 0

    def evaluated(self, uid: str, time_ns: int, duration_ns: int, fed: Fed, states: Mapping[Key, State]) -> None:
        """Note what became of a rule at a tick; ``states`` are those of its keys afterwards."""
        firing = [state for state in states.values() if state.phase in (Phase.FIRING, Phase.KEEP_FIRING)]
        pending = sum(state.phase is Phase.PENDING for state in states.values())
        ranks = [state.severity.rank for state in firing if state.severity is not None]
        health = Health.ERROR if fed.error else Health.OK if fed.with_data or fed.is_counted else Health.NO_DATA
        with self._lock:
            known = self._rules.setdefault(uid, _Known())
            known.failures = known.failures + fed.failed if fed.error else 0
            known.had_data = known.had_data or fed.with_data > 0
            known.evaluations.append(Evaluation(time_ns, duration_ns, fed.with_data, len(firing), fed.error))
            known.status = RuleStatus(
                last_ns=time_ns,
                duration_ns=duration_ns,
                health=health,
                error=fed.error,
                warnings=fed.warnings,
                firing=len(firing),
                pending=pending,
                severity=SEVERITIES[max(ranks) - 1] if ranks else None,
                value=fed.worst,
                unit=fed.unit or known.status.unit,
                keys=fed.with_data,
            )
            self._status = replace(self._status, failed_evaluations=self._status.failed_evaluations + fed.failed)

    def keep_only(self, uids: Iterable[str]) -> None:
        """Forget rules that are no longer there."""
        kept = set(uids)
        with self._lock:
            self._rules = {uid: known for uid, known in self._rules.items() if uid in kept}

    def failures(self) -> dict[str, tuple[int, str]]:
        """How often each rule failed in a row, and why, of those that do."""
        with self._lock:
            return {uid: (known.failures, known.status.error) for uid, known in self._rules.items() if known.failures}

    def evaluated_uids(self) -> frozenset[str]:
        """The rules that were evaluated since the start."""
        with self._lock:
            return frozenset(self._rules)

    def without_data(self) -> dict[str, bool]:
        """The rules that have no data now, and whether they had some since the start."""
        with self._lock:
            return {uid: known.had_data for uid, known in self._rules.items() if known.status.health is Health.NO_DATA}

    def status(self, problems: tuple[str, ...]) -> AlerterStatus:
        """All of it."""
        with self._lock:
            rules = {
                uid: replace(known.status, evaluations=tuple(known.evaluations)) for uid, known in self._rules.items()
            }
            return replace(self._status, gaps=tuple(self._gaps), problems=problems, rules=rules)
