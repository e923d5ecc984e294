"""What is told of classic histograms whose counts had to be made to rise from bucket to bucket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.series.go_numbers import go_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.histograms.classics.values import Forced
    from spanglass_server.promql.series.vectors import Steps

_SEE = "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile"
FIXED = f"input to histogram_quantile needed to be fixed for monotonicity (see {_SEE})"


@dataclass(slots=True)
class Fixes:
    """All that was changed for one function: in how many cells, between which steps and bounds, by how much."""

    count: int = 0
    first: int = 0
    last: int = 0
    lowest: float = np.inf
    highest: float = -np.inf
    most: float = 0.0

    def add(self, forced: Forced, step: NDArray[np.intp]) -> None:
        """What was changed in some cells, with the step of each."""
        steps = step[forced.is_forced]
        if not len(steps):
            return
        self.first = min(self.first, int(steps.min())) if self.count else int(steps.min())
        self.last = max(self.last, int(steps.max()))
        self.count += len(steps)
        self.lowest, self.highest = min(self.lowest, forced.lowest), max(self.highest, forced.highest)
        self.most = max(self.most, forced.most)

    def told(self, steps: Steps) -> str:
        """Where and how much."""
        begin, end = (_time(steps.start_ms + steps.step_ms * place) for place in (self.first, self.last))
        return (
            f", from buckets {go_number(self.lowest)} to {go_number(self.highest)}, "
            f"with a max diff of {go_number(self.most, 2)}, over {self.count} samples from {begin} to {end}"
        )


def _time(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
