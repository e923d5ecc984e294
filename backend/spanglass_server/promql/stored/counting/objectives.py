"""Events of objectives as series: how many, how many bad ones, and how many may be bad."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from spanglass_server.promql.series.labels import LabelSets
from spanglass_server.promql.stored.counting.cells import NOTHING, Counts
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from spanglass_server.promql.ports import ObjectiveCounts, Selector
    from spanglass_server.promql.stored.counting.recurring import Asked
    from spanglass_server.store.ports import Window

_MINUTE_MS: Final = 60_000
#: Up to a window of so many minutes, the minutes that a step has: what is newest is at most a fiftieth of it old.
_STEPS: Final = ((120, 1), (360, 5), (1440, 15), (4320, 60))
_LONG: Final = 240
#: The lookback of PromQL, where a selector has no range of its own.
_DEFAULT_WINDOW_MS: Final = 300_000


def objective_step_ms(selector: Selector) -> int:
    """How far samples are apart: nearer than those of records, as rules compare short windows of long ones."""
    window_ms = selector.window_ms or _DEFAULT_WINDOW_MS
    minutes = next((step for most, step in _STEPS if window_ms <= most * _MINUTE_MS), _LONG)
    return minutes * _MINUTE_MS


def objective_counts(objectives: ObjectiveCounts, asked: Asked, window: Window) -> Counts:
    """The counts of a metric of all objectives in a window."""
    found = objectives.counts(asked.step_ms, window.start_ns // NS_PER_MS, -(-window.end_ns // NS_PER_MS))
    found = [each for each in found if len(each.step)]
    if not found:
        return NOTHING
    lengths = [len(each.step) for each in found]
    step = np.concatenate([each.step for each in found])
    return Counts(
        LabelSets.of([each.labels for each in found]),
        np.repeat(np.arange(len(found)), lengths),
        step,
        np.zeros(len(step), np.int64),
        np.concatenate([each.values[asked.metric.name] for each in found]),
    )
