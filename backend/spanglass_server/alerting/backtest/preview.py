"""What a rule says right now, for editors that show it while somebody types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_core.alerting.severity import SEVERITIES
from spanglass_server.alerting.backtest import shown
from spanglass_server.alerting.backtest.tuning import tuning_of
from spanglass_server.alerting.model import Failure
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.times import NS_PER_MS, NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.backtest.answers import KeyPreview, Preview
    from spanglass_server.alerting.model import Readings
    from spanglass_server.alerting.ports import Evaluator
    from spanglass_server.store.ports import QuerySession

_MOST_KEYS = 50


def preview(
    session: QuerySession, evaluator: Evaluator, rule: Rule, now_ns: int, interval_ns: int = 15 * NS_PER_SECOND
) -> Preview:
    """The last value of each key at the latest tick, and the level that it has; one step, however long ``for`` is.

    ``interval_ns`` is that of rules without one. A wrong condition is the answer's ``failure``; ``QueryError`` is
    raised when the query was stopped.
    """
    every_ns = rule.interval_ns or interval_ns
    at_ns = now_ns // every_ns * every_ns
    found = evaluator.evaluate(session, [rule], Steps(at_ns // NS_PER_MS, every_ns // NS_PER_MS, 1))[rule.uid]
    if isinstance(found, Failure):
        return {
            "time": format_time(at_ns), "unit": "", "thresholds": [], "keys": [], "keys_left_out": 0, "crossing": 0,
            "warnings": [], "failure": shown.failure(found),
        }  # fmt: skip
    rows = _worst_first(found, below=tuning_of(rule).below)
    return {
        "time": format_time(at_ns),
        "unit": found.unit,
        "thresholds": shown.thresholds(found.thresholds),
        "keys": [_key(found, row) for row in rows[:_MOST_KEYS]],
        "keys_left_out": max(0, len(rows) - _MOST_KEYS),
        "crossing": int((found.levels[:, -1] > 0).sum()),
        "warnings": list(found.warnings),
        "failure": None,
    }


def _worst_first(found: Readings, *, below: bool) -> list[int]:
    """Rows by level, then by value; those without data last."""
    values = found.values[:, -1]
    badness = np.where(np.isnan(values), -np.inf, -values if below else values)
    rows: list[int] = np.lexsort((-badness, -found.levels[:, -1].astype(np.int16))).tolist()
    return rows


def _key(found: Readings, row: int) -> KeyPreview:
    value, level = float(found.values[row, -1]), int(found.levels[row, -1])
    return {
        "labels": dict(found.keys[row]),
        "value": value if np.isfinite(value) else None,
        "severity": SEVERITIES[level - 1].value if level else None,
    }
