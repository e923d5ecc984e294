"""The value of a step does not depend on the other steps that are asked for (``Options.each_alone``)."""

from __future__ import annotations

import numpy as np
import pytest
from stored_points import START_MS, point

from spanglass_server.promql.engine import Options, range_query
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.promql.stored.source import StoredSeries

#: A whole number of 15 s.
BASE_MS = START_MS // 15_000 * 15_000
ALONE = Options(each_alone=True)
STEP_MS, STEPS = 15_000, 24


def cells(session, text, first=0, size=STEPS):
    """The value of each series at each step, where there is one."""
    steps = Steps(BASE_MS + first * STEP_MS, STEP_MS, size)
    vector = range_query(StoredSeries(session), text, steps, ALONE).value
    found = {}
    for row, labels in enumerate(vector.labels.rows()):
        for step in np.flatnonzero(vector.present[row]).tolist():
            found[first + step, *labels.values()] = vector.values[row, step]
    return found


def stored(open_tables):
    """Spans of two services, one of which pauses, and a delta counter sent once a minute."""
    seconds = [*range(-100, 200, 7), *range(400, 600, 11)]
    spans = [
        {
            "resource.service.name:str": service,
            "name": "GET /",
            "kind": 2,
            "start_time_ns": BASE_MS * 1_000_000 + second * 10**9,
            "duration_ns": 10**8 * (1 + second % 5),
        }
        for service, every in (("a", 1), ("b", 3))
        for second in seconds[::every]
    ]
    shift = (BASE_MS - START_MS) / 1000
    deltas = [
        point(shift + second, start=shift + second - 60, name="jobs", kind="sum", is_monotonic=True, temporality=1,
              value_double=float(second % 7 + 1))
        for second in range(-120, 600, 60)
    ]  # fmt: skip
    return open_tables(spans=spans, metrics=deltas), seconds


@pytest.mark.parametrize(
    "text",
    [
        "sum by (service_name) (increase(spans_total[2m]))",
        "histogram_quantile(0.9, sum by (le) (rate(span_duration_seconds_bucket[2m])))",
        "sum by (le, service_name) (rate(span_duration_seconds_bucket[1m]))",
        "rate(span_duration_seconds_sum[3m])",
        "rate(jobs_total[3m])",
    ],
)
def test_a_step_has_the_value_that_it_has_alone(open_tables, text):
    """Many steps at once are as many questions of one step each: the same series are there, with the same values."""
    session, _ = stored(open_tables)
    together = cells(session, text)
    alone = {}
    for step in range(STEPS):
        alone |= cells(session, text, step, 1)

    assert len(alone) > STEPS / 2
    assert together == pytest.approx(alone, rel=1e-10)


def test_counts_of_whole_steps_are_exact(open_tables):
    """What a window counts is the number of its records, at every step; where it has none there is no value."""
    session, seconds = stored(open_tables)
    expected = {
        (step, "a"): count
        for step in range(STEPS)
        if (count := sum(step * 15 - 120 < second <= step * 15 for second in seconds))
    }
    found = cells(session, 'sum by (service_name) (increase(spans_total{service_name="a"}[2m]))')
    assert found == expected
