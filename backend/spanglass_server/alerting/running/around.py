"""What the alerter works with: ports, settings, and the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.alerting.watching import silence

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.model import Alert, Readings
    from spanglass_server.alerting.ports import AlertStore, Evaluator, Recorder, RuleBook
    from spanglass_server.alerting.running.schedule import Pace
    from spanglass_server.alerting.running.texts import Texts
    from spanglass_server.promql.series.vectors import Steps
    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.store.ports import QuerySession, Window


def _nobody(rule: Rule, alert: Alert, readings: Readings) -> None:
    """Tell nobody."""


def _knows_nothing(window: Window) -> bool:
    """Know of no record."""
    del window
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the alerter works with.

    ``texts`` are those of alerts; without a session their templates can't ask anything. ``ask`` runs a function over a
    query session of its own; it is interrupted when ``stopping`` turns true. ``opened`` is told of alerts
    of rules that opened, with what they opened with, once they are committed. ``holds`` says at once that a record was
    sent with a time in a window; it may not know of it.
    """

    book: RuleBook
    store: AlertStore
    evaluator: Evaluator
    texts: Callable[[QuerySession | None], Texts]
    ask: Callable[[Callable[[QuerySession], Any]], Any]
    clock_ns: Callable[[], int]
    telemetry: Telemetry
    stopping: Callable[[], bool] = lambda: False
    opened: Callable[[Rule, Alert, Readings], None] = _nobody
    recorder: Recorder | None = None
    live: Callable[[QuerySession, Steps], NDArray[np.bool_]] = silence.live
    holds: Callable[[Window], bool] = _knows_nothing
    quiet_ns: int = silence.QUIET_NS  # how far back ``live`` looks


@dataclass(frozen=True, slots=True)
class Bounds:
    """Settings of the alerter: ``silence_ns`` is how long nothing may come in before that is an alert."""

    pace: Pace
    max_keys: int = 1000
    silence_ns: int = 300 * 10**9
