"""Several processes that send one and the same cumulative series."""

from __future__ import annotations

import pytest
from stored_points import START_MS, found, point

from spanglass_server.promql.engine import Options, instant
from spanglass_server.promql.stored.source import StoredSeries

COUNTER = {"kind": "sum", "temporality": 2, "is_monotonic": True}
#: Labels of the starts 100 s and 60 s before the points.
FIRST, SECOND = "2023-11-14T22:11:40Z", "2023-11-14T22:12:20Z"


def two_writers(**more):
    """Points of two processes, in turn: one counts 1 every 10 s, the other 5, from 500 on."""
    rows = []
    for n in range(10):
        rows.append(point(10 * n, start=-100, **COUNTER, value_int=n, **more))
        rows.append(point(10 * n + 5, start=-60, **COUNTER, value_int=500 + 5 * n, **more))
    return rows


def test_writers_at_once_are_series_of_their_own(open_tables):
    """Points in turn from two starts are two series, told apart by their starts; their rates add up."""
    session = open_tables(metrics=two_writers())
    series = found(session, "x_total")
    assert list(series) == [f"x_total{{start_time={FIRST}}}", f"x_total{{start_time={SECOND}}}"]
    assert [value for _, value in series[f"x_total{{start_time={FIRST}}}"]] == list(range(10))
    answer = instant(StoredSeries(session), "sum(rate(x_total[80s]))", START_MS + 90_000, Options())
    assert answer.value.values[0].tolist() == pytest.approx([0.6])


def test_buckets_have_writers_too(open_tables):
    """Every bucket of a histogram is told apart by its writer."""
    bounds = {"explicit_bounds": [1.0]}
    rows = [
        point(t, start=s, kind="histogram", temporality=2, name="h", bucket_counts=[n, 1], **bounds, count=n + 1)
        for t, s, n in ((0, -100, 5), (1, -60, 70), (2, -100, 6), (3, -60, 71))
    ]
    assert found(open_tables(metrics=rows), "h_bucket", "le=1") == {
        f"h_bucket{{le=1,start_time={FIRST}}}": [(0, 5), (2, 6)],
        f"h_bucket{{le=1,start_time={SECOND}}}": [(1, 70), (3, 71)],
    }


@pytest.mark.parametrize(
    "starts",
    [
        pytest.param((-100, -100, 15, 15), id="a restart"),
        pytest.param((-100, -95, -99, -101), id="a start that wavers"),
        pytest.param((0, 10, 20, 30), id="a start that is the time itself"),
        pytest.param((None, None, None, None), id="no start"),
        pytest.param((-100, None, 15, None), id="a start that is told at times"),
        pytest.param((-10, 0.5, 10.5, 20.5), id="a start that moves on"),
    ],
)
def test_one_writer_is_one_series(open_tables, starts):
    """Whatever a sender does with its start times, one process after another is one series."""
    rows = [point(10 * n, start=start, **COUNTER, value_int=n) for n, start in enumerate(starts)]
    assert found(open_tables(metrics=rows), "x_total") == {"x_total{}": [(10 * n, n) for n in range(4)]}


def test_a_start_that_always_moves_on_makes_no_writers(open_tables):
    """A sender that starts anew with every point is one writer, however many points there are."""
    rows = [point(60 * n, start=60 * n - 59, **COUNTER, value_int=n) for n in range(40)]
    assert found(open_tables(metrics=rows), "x_total") == {"x_total{}": [(60 * n, n) for n in range(40)]}


def test_levels_have_no_writers(open_tables):
    """Gauges, and sums that may fall, are what was sent last, whatever their start."""
    rows = [point(t, start=s, kind="sum", temporality=2, value_int=t) for t, s in ((0, -100), (1, -60), (2, -100))]
    assert found(open_tables(metrics=rows), "x") == {"x{}": [(0, 0), (1, 1), (2, 2)]}
