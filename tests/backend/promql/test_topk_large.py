"""topk and bottomk of many series choose what sorting all of them would."""

from __future__ import annotations

import numpy as np
import pytest

from spanglass_server.promql.engine import range_query
from spanglass_server.promql.in_memory import SeriesInMemory
from spanglass_server.promql.series.labels import LabelSets
from spanglass_server.promql.series.samples import Samples
from spanglass_server.promql.series.vectors import Steps

SERIES, STEPS = 700, 9


def values():
    """Many ties, NaN and infinities; some series end early, and one step has nearly only NaN."""
    rng = np.random.default_rng(3)
    made = rng.integers(0, 300, (SERIES, STEPS)).astype(float)
    made[rng.random(made.shape) < 0.1] = np.nan
    made[rng.random(made.shape) < 0.01] = np.inf
    made[rng.random(made.shape) < 0.01] = -np.inf
    made[5:, 4] = np.nan
    return made


@pytest.mark.parametrize("query", ["topk", "bottomk"])
@pytest.mark.parametrize("count", [0, 1, 7, 40])
def test_choice(query, count):
    """At each step the first by value, then by order of series; NaN comes last, absent ones never."""
    made = values()
    held = np.arange(SERIES) % 7 > 0
    lengths = np.where(held, STEPS, 3)
    samples = Samples(
        LabelSets.of([{"__name__": "x", "n": f"{number:04}"} for number in range(SERIES)]),
        np.concatenate([[0], np.cumsum(lengths)]),
        np.concatenate([1_000_000 * np.arange(length) for length in lengths]),
        np.concatenate([row[:length] for row, length in zip(made, lengths, strict=True)]),
    )

    found = range_query(SeriesInMemory(samples), f"{query}({count}, x)", Steps(0, 1_000_000, STEPS)).value

    chosen = np.zeros((SERIES, STEPS), bool)
    rows = [int(row["n"]) for row in found.labels.rows()]
    chosen[rows] = found.present
    sign = -1 if query == "topk" else 1
    for step in range(STEPS):
        there = [row for row in range(SERIES) if step < lengths[row]]
        ranked = sorted(
            there,
            key=lambda row: (
                np.isnan(made[row, step]),
                sign * np.nan_to_num(made[row, step], posinf=np.inf, neginf=-np.inf),
                row,
            ),
        )
        assert sorted(ranked[:count]) == np.flatnonzero(chosen[:, step]).tolist(), step
