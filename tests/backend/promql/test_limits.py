"""Limits of a query, what it reads, and the notation of series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from promql_cases import MINUTE, assert_values, at, over_range, source, text_of

from spanglass_server.promql.engine import Options, PromqlError, instant, range_query
from spanglass_server.promql.in_memory import SeriesInMemory
from spanglass_server.promql.notation import read_series
from spanglass_server.promql.ports import Matcher, Selector
from spanglass_server.promql.series.histograms import ResetHint
from spanglass_server.promql.series.vectors import Scalar, Steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.promql.series.samples import Samples


class Reading(SeriesInMemory):
    """A source that keeps what it was asked for."""

    def __init__(self, samples: Samples) -> None:
        super().__init__(samples)
        object.__setattr__(self, "asked", [])

    def select(self, selector: Selector) -> Samples:
        """As any source, and remember."""
        self.asked.append(selector)  # type: ignore[attr-defined]
        return super().select(selector)


def asked_by(query: str, steps: Steps) -> Sequence[Selector]:
    """What a query asks of storage."""
    reading = Reading(read_series([("g", "1x10")], MINUTE))
    range_query(reading, query, steps)
    return reading.asked  # type: ignore[attr-defined,no-any-return]


def test_what_is_read() -> None:
    """Each selection is read once, for the whole range, with the labels that the expression names."""
    steps = Steps(10 * MINUTE, MINUTE, 6)
    asked = asked_by(
        'sum by (pod) (rate(g{a="b"}[3m])) / sum by (pod) (rate(g{a="b"}[3m])) + on(zone) g offset 1m', steps
    )
    ranges = [(selector.start_ms // MINUTE, selector.end_ms // MINUTE) for selector in asked]
    assert ranges == [(7, 15), (4, 14)]
    assert asked[0].named == {"a", "pod", "zone"}
    assert asked[0].matchers == (Matcher("__name__", "=", "g"), Matcher("a", "=", "b"))


def test_what_is_read_for_fixed_times_and_subqueries() -> None:
    """A fixed time is read once however many steps; a subquery reads for all its steps."""
    steps = Steps(10 * MINUTE, MINUTE, 6)
    (fixed,) = asked_by("g @ end()", steps)
    assert (fixed.start_ms, fixed.end_ms) == (10 * MINUTE, 15 * MINUTE)
    (inner,) = asked_by("max_over_time(rate(g[2m])[5m:1m])", steps)
    assert (inner.start_ms, inner.end_ms) == (4 * MINUTE, 15 * MINUTE)


def test_a_query_that_is_too_large() -> None:
    """The limit is named, and what to do about it."""
    with pytest.raises(PromqlError) as caught:
        instant(source({"g": "1x10"}), "g[10m]", 5 * MINUTE, Options(max_samples=3))
    assert caught.value.kind == "execution"
    assert "too many samples" in caught.value.message
    assert "at most 3" in caught.value.message
    assert "a longer step" in caught.value.message


def test_a_query_that_takes_too_long() -> None:
    """Past its deadline a query ends with Prometheus' type of error."""
    with pytest.raises(PromqlError) as caught:
        instant(source({"g": "1"}), "g", 0, Options(deadline_s=0.0))
    assert caught.value.kind == "timeout"


def test_another_lookback() -> None:
    """How old a sample may be is an option."""
    answer = instant(source({"g": "1"}), "g", 2 * MINUTE, Options(lookback_ms=MINUTE))
    assert_values(answer, {})


def test_results_that_are_no_vectors() -> None:
    """Texts and numbers are results too; a range vector is none over a range."""
    assert text_of(at({}, '"text"')) == "text"
    value = over_range({}, "time()", 2).value
    assert isinstance(value, Scalar)
    assert value.values.tolist() == [0, 60, 120]
    with pytest.raises(PromqlError, match="must be Scalar or instant Vector"):
        over_range({"g": "1"}, "g[5m]")


def test_notation_of_series() -> None:
    """Numbers that rise or fall or repeat, gaps, staleness markers, special numbers."""
    samples = read_series([('a{b="c"}', "1+2x2 -1-1x1 5x1 _ stale 1e3 _x2 Inf -Inf NaN")], 10, 100)
    assert samples.labels.rows() == [{"__name__": "a", "b": "c"}]
    assert samples.time_ms.tolist() == [100, 110, 120, 130, 140, 150, 160, 180, 190, 220, 230, 240]
    expected = [1, 3, 5, -1, -2, 5, 5, 0, 1000, np.inf, -np.inf, np.nan]
    np.testing.assert_array_equal(samples.value, expected)
    assert samples.is_stale is not None
    assert np.flatnonzero(samples.is_stale).tolist() == [7]


def test_notation_of_histograms() -> None:
    """Histograms that repeat and grow, with buckets from an offset on."""
    begin = "{{schema:1 count:3 sum:5 buckets:[1 2] offset:-1 counter_reset_hint:gauge}}"
    samples = read_series([("h", begin + "+{{schema:0 count:1 sum:2 buckets:[1]}}x1 4")], 10)
    histograms = samples.histograms
    assert histograms is not None
    assert samples.histogram is not None
    assert samples.histogram.tolist() == [0, 1, -1]
    assert (histograms.schema.tolist(), histograms.count.tolist(), histograms.sum.tolist()) == ([1, 0], [3, 4], [5, 7])
    assert histograms.reset_hint[0] == ResetHint.GAUGE
    assert histograms.positive.index.tolist() == [-1, 0, 0]
    assert histograms.positive.count.tolist() == [1, 2, 4]


@pytest.mark.parametrize("text", ["1 2 x", "1+2x", "{{count:x}}", "{{wrong:1}}", "stalex"])
def test_notation_that_is_none(text: str) -> None:
    """What cannot be read is told."""
    with pytest.raises(PromqlError):
        read_series([("a", text)], 10)


def test_sources_in_memory() -> None:
    """Names, values and series by selectors, as storage gives them."""
    memory = source({'b{x="1"}': "1", 'a{x="2", y="3"}': "1 2 3"})
    everything = Selector((Matcher("x", "=~", ".+"),), -1, 10 * MINUTE)
    later = Selector((Matcher("x", "=~", ".+"),), 0, 10 * MINUTE)
    assert memory.label_names([everything]) == ["__name__", "x", "y"]
    assert memory.label_values("x", [everything]) == ["1", "2"]
    assert memory.series([later]) == [{"__name__": "a", "x": "2", "y": "3"}]
