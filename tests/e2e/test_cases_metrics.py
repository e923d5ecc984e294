"""What must be answered about metrics that real senders produce: rates, levels and estimates."""

from __future__ import annotations

import time

import pytest
from cases import Case

MINUTE_NS = 60 * 10**9


@pytest.fixture(scope="module")
def now_ns():
    """Return a whole minute, so that steps of a minute begin where the cases have their points."""
    return time.time_ns() // MINUTE_NS * MINUTE_NS


@pytest.fixture
def sent(cases_server, now_ns):
    """Send a case and return it: ``sent("24-start-time-jitter")``."""

    def send(name: str, file: str = "input.json") -> Case:
        case = Case(name, now_ns)
        case.send(cases_server, file)
        return case

    return send


@pytest.fixture
def answer(cases_server, now_ns):
    """Ask about a metric; returns each point's value by its seconds before now, and the notes."""

    def ask(name: str, aggregate: str, *, step: str = "60s", **parameters) -> tuple[dict[int, float], list[str]]:
        window = {"start": now_ns - 10 * MINUTE_NS, "end": now_ns, "step": step}
        found = cases_server.get("/metrics/query", name=name, aggregate=aggregate, **(window | parameters))
        points = [point for series in found["series"] for point in series["points"]]
        return {round(now_ns / 10**9 - point["t"]): point["value"] for point in points}, found["notes"]

    return ask


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("alternating_ms", 100.0),
        ("alternating_s", 100.0),
        ("inside_range", 100.0),
        ("drifting", 100.0),
        ("steady", 100.0),
        ("two_processes", 200.0),
    ],
)
def test_start_times_that_waver_are_of_one_writer(sent, answer, name, expected):
    """A hundred a minute, and twice that of two processes; nobody restarted."""
    case = sent("24-start-time-jitter")
    increases, notes = answer(f"{name}.{case.run}", "increase")
    assert notes == []
    assert {ago: increases[ago] for ago in range(240, 600, 60)} == pytest.approx(
        dict.fromkeys(range(240, 600, 60), expected)
    )


@pytest.mark.parametrize("name", ["each", "once", "exact"])
def test_deltas_that_overlap_by_a_millisecond_are_neighbours(sent, answer, name):
    """Eight deltas of sixty are 480."""
    case = sent("25-delta-overlap-1ms")
    increases, notes = answer(f"{name}.{case.run}", "increase")
    assert (round(sum(increases.values()), 1), notes) == (480.0, [])


@pytest.mark.parametrize("name", ["conns", "active"])
@pytest.mark.parametrize("step", ["5s", "30s", "60s", "2m"])
def test_a_sum_has_every_instance_at_every_step(sent, answer, name, step):
    """Two pools of ten connections, reported at different seconds, are twenty at every step from the second on."""
    case = sent("10-gauge-sum-small-step")
    levels, notes = answer(f"{name}.{case.run}", "sum", step=step)
    assert notes == []
    assert {value for ago, value in levels.items() if ago <= 540} == {20.0}
    assert min(levels) <= 120


@pytest.mark.parametrize(("name", "aggregate"), [("bytes", "increase"), ("obs", "count")])
def test_large_integers_are_subtracted_exactly(sent, answer, name, aggregate):
    """One a minute, above 2^53 too."""
    case = sent("11-int64-counter")
    increases, _ = answer(f"{name}.{case.run}", aggregate)
    assert increases == dict.fromkeys(range(360, 601, 60), 1.0)


@pytest.mark.parametrize(
    ("name", "least", "median", "greatest"), [("up", 0.0, 2.0, 2.0), ("low", 0.0, 0.7, 1.0), ("plain", 0.0, 2.0, 2.0)]
)
def test_infinite_bounds_are_folded_away(sent, answer, name, least, median, greatest):
    """Quantiles and extremes are finite, and the same as without the infinite bound."""
    case = sent("08-hist-inf-bound")
    found = [answer(f"{name}.{case.run}", "quantile", q=q)[0][600] for q in (0, 0.5, 1)]
    assert found == [least, pytest.approx(median), greatest]
    assert answer(f"{name}.{case.run}", "max")[0] == {600: greatest}


@pytest.mark.parametrize(
    ("name", "count", "least", "greatest"), [("one", 10, 1, 4), ("none", 10, 1, 4), ("exp", 3, 0.5, 1.5)]
)
def test_histograms_without_buckets_have_what_they_say(sent, answer, name, count, least, greatest):
    """Count, mean, minimum and maximum are answered; there is no quantile, and a note says why."""
    case = sent("09-hist-no-buckets")
    metric = f"{name}.{case.run}"
    assert answer(metric, "count") == ({600: count}, [])
    assert answer(metric, "min") == ({600: least}, [])
    assert answer(metric, "max") == ({600: greatest}, [])
    assert answer(metric, "quantile", q=0.5) == (
        {},
        [f"{count} observations are in no bucket and left out of the quantile"],
    )


def test_observations_without_buckets_are_noted(sent, answer):
    """Beside a series with buckets, the observations of one without are not dropped in silence."""
    case = sent("09-hist-no-buckets")
    metric = f"mixed.{case.run}"
    quantiles, notes = answer(metric, "quantile", q=0.5)
    assert (quantiles, notes) == ({600: 0.5}, ["10 observations are in no bucket and left out of the quantile"])
    assert answer(metric, "max") == ({600: 4}, [])
    assert answer(metric, "count") == ({600: 12}, [])


@pytest.mark.parametrize(
    ("file", "metric", "value"), [("node.json", "shop.order.amount", 12.5), ("rust.json", "shop.quote.wait", 0.004)]
)
def test_estimates_stay_within_minimum_and_maximum(cases_server, sent, now_ns, file, metric, value):
    """Cumulative histograms whose observations are all the same: every estimate is that value."""
    sent("sender-05-histogram-past-its-max", file)
    asked = {"name": metric, "step": "1h", "start": now_ns - 120 * MINUTE_NS, "end": now_ns + 60 * MINUTE_NS}
    for aggregate, q in (
        ("quantile", 0),
        ("quantile", 0.5),
        ("quantile", 0.99),
        ("quantile", 1),
        ("min", 0),
        ("max", 1),
    ):
        found = cases_server.get("/metrics/query", aggregate=aggregate, q=q, **asked)
        assert {point["value"] for series in found["series"] for point in series["points"]} == {value}
