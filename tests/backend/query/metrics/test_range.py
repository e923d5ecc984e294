"""Metrics: names, series, and range queries, case by case of the data model."""

from __future__ import annotations

import math
import random

import pytest
from metric_tables import CUMULATIVE, DELTA, SECOND, T0, WINDOW, ask, counter, gauge, histogram, point, values

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.metrics.buckets import Exponential, quantile
from spanglass_server.query.metrics.listing import list_metrics, metric_series
from spanglass_server.query.metrics.question import Question
from spanglass_server.query.metrics.range import query_range


def test_cumulative_increase_is_the_difference(open_tables):
    """Each point adds its difference to the point before; the first counts from zero at a true start."""
    session = open_tables(metrics=[counter(60, 6), counter(120, 18), counter(180, 18)])
    assert values(session, "increase") == {0: 6, 60: 12, 120: 0}
    assert values(session, "rate") == {0: 0.1, 60: 0.2, 120: 0}
    assert values(session, "sum") == {0: 6, 60: 12, 120: 0}
    assert values(session, "count") == {0: 1, 60: 1, 120: 1}


def test_the_point_before_the_window_is_the_first_difference(open_tables):
    """A point up to five minutes before the window gives the first increase in it."""
    session = open_tables(
        metrics=[counter(-60, 100, start_s=-9000), counter(0, 110, start_s=-9000), counter(60, 130, start_s=-9000)]
    )
    assert values(session, "increase") == {0: 20}


def test_a_start_before_what_is_read_adds_nothing(open_tables):
    """The first point of an old process adds nothing: how much of its value is new is unknown."""
    session = open_tables(metrics=[counter(60, 1000, start_s=-9000), counter(120, 1005, start_s=-9000)])
    assert values(session, "increase") == {60: 5}


def test_an_unknown_start_adds_nothing_at_first(open_tables):
    """With start = time the first point counts for nothing; later points that repeat that start count on."""
    session = open_tables(metrics=[counter(60, 50, start_s=60), counter(120, 57, start_s=60)])
    assert values(session, "increase") == {60: 7}


def test_a_missing_start_adds_nothing_at_first(open_tables):
    """Without any start time only differences count."""
    session = open_tables(metrics=[counter(60, 50, start_s=None), counter(120, 57, start_s=None)])
    assert values(session, "increase") == {60: 7}


def test_a_new_start_counts_from_zero(open_tables):
    """After a restart with a true start the first point counts whole, over the time since that start."""
    session = open_tables(
        metrics=[counter(60, 10), counter(120, 20), counter(180, 5, start_s=150), counter(240, 9, start_s=150)]
    )
    groups, notes = ask(session, "increase")
    assert groups == {(): {0: 10, 60: 10, 120: 5, 180: 4}}
    assert notes == ["1 reset"]


def test_a_new_start_counts_even_when_the_value_is_larger(open_tables):
    """A reset is told by the start time alone, also where the new value has passed the old one."""
    session = open_tables(metrics=[counter(60, 10), counter(120, 30, start_s=90)])
    groups, notes = ask(session, "increase")
    assert groups == {(): {0: 10, 60: 30}}
    assert notes == ["1 reset"]


def test_a_new_unknown_start_adds_nothing(open_tables):
    """After a reset with start = time, nothing is known to have been counted before the next point."""
    session = open_tables(metrics=[counter(60, 10), counter(120, 5, start_s=120), counter(180, 8, start_s=120)])
    groups, notes = ask(session, "increase")
    assert groups == {(): {0: 10, 120: 3}}
    assert notes == ["1 reset"]


def test_a_fallen_value_is_a_reset(open_tables):
    """A value below the one before, with the same start, counts from zero."""
    session = open_tables(metrics=[counter(60, 10), counter(120, 4), counter(180, 6)])
    groups, notes = ask(session, "increase")
    assert groups == {(): {0: 10, 60: 4, 120: 2}}
    assert notes == ["1 reset"]


def test_two_processes_of_one_name_do_not_reset_each_other(open_tables):
    """Workers whose points differ only in their start times count each for itself."""
    session = open_tables(
        metrics=[
            *(counter(time, value, start_s=0) for time, value in ((60, 10), (120, 20), (180, 30))),
            *(counter(time, value, start_s=1) for time, value in ((61, 100), (121, 200), (181, 300))),
        ]
    )
    groups, _ = ask(session, "increase", step_s=600)
    assert groups == {(): {0: 330}}


def test_equal_points_count_once(open_tables):
    """A point that was sent twice adds nothing the second time."""
    session = open_tables(metrics=[counter(60, 10), counter(60, 10), counter(120, 15)])
    assert values(session, "increase") == {0: 10, 60: 5}


def test_points_without_recorded_value_are_gaps(open_tables):
    """A staleness marker is no zero, and no reset: what came since the point before it is not spread over the gap."""
    session = open_tables(metrics=[counter(60, 10), counter(120, 0, flags=1), counter(180, 16), counter(240, 19)])
    assert values(session, "increase") == {0: 10, 120: 6, 180: 3}
    session = open_tables(metrics=[gauge(30, 5.0), gauge(90, 0.0, flags=1), gauge(590, 7.0)])
    assert values(session, "avg") == {0: 5.0, 540: 7.0}


def test_an_increase_is_spread_over_the_steps_it_covers(open_tables):
    """Points less frequent than steps make an even line, not peaks and holes."""
    session = open_tables(metrics=[counter(120, 12), counter(240, 36)])
    assert values(session, "increase") == {0: 6, 60: 6, 120: 12, 180: 12}
    assert values(session, "rate") == {0: 0.1, 60: 0.1, 120: 0.2, 180: 0.2}


def test_steps_in_a_long_gap_stay_empty(open_tables):
    """Between points further apart than five minutes nothing is made up; the whole increase is at the later point."""
    session = open_tables(metrics=[counter(60, 6), counter(540, 54)])
    assert values(session, "increase") == {0: 6, 480: 48}
    assert values(session, "rate") == {0: 0.1, 480: 0.1}


def test_the_rate_of_a_part_of_a_step(open_tables):
    """The last step's rate is per second of what its points reach over, so that it does not seem to fall."""
    session = open_tables(metrics=[counter(60, 6), counter(90, 9)])
    assert values(session, "rate") == {0: 0.1, 60: 0.1}


def test_delta_points_are_increases(open_tables):
    """Each delta counts as it is, and series are added up."""
    session = open_tables(
        metrics=[
            counter(60, 6, temporality=DELTA),
            counter(120, 3, start_s=60, temporality=DELTA),
            counter(60, 4, temporality=DELTA, **{"point.route:str": "/b"}),
        ]
    )
    assert values(session, "increase") == {0: 10, 60: 3}
    assert values(session, "min") == {0: 4, 60: 3}
    assert values(session, "max") == {0: 6, 60: 3}
    assert values(session, "avg") == {0: 5, 60: 3}


def test_overlapping_deltas_are_dropped_and_counted(open_tables):
    """A delta that begins before an earlier one ends falls; one after it is judged by those that stayed."""
    session = open_tables(
        metrics=[
            counter(60, 6, temporality=DELTA),
            counter(90, 100, start_s=30, temporality=DELTA),
            counter(120, 3, start_s=60, temporality=DELTA),
            counter(120, 3, start_s=60, temporality=DELTA),
        ]
    )
    groups, notes = ask(session, "increase")
    assert groups == {(): {0: 6, 60: 3}}
    assert notes == ["2 overlapping delta points were left out"]


def test_deltas_with_a_gap_leave_it(open_tables):
    """Steps between two deltas that do not touch have no point."""
    session = open_tables(metrics=[counter(60, 6, temporality=DELTA), counter(300, 3, start_s=240, temporality=DELTA)])
    assert values(session, "increase") == {0: 6, 240: 3}


def test_deltas_without_a_start(open_tables):
    """A delta that does not say where it starts counts at its time, or since the point before it."""
    session = open_tables(
        metrics=[counter(60, 6, start_s=None, temporality=DELTA), counter(120, 3, start_s=None, temporality=DELTA)]
    )
    assert values(session, "increase") == {0: 6, 60: 3}


def test_counters_are_grouped(open_tables):
    """Groups are by any key, old names too; the largest comes first, a missing key is null."""
    session = open_tables(
        metrics=[
            counter(60, 6, **{"point.http.method:str": "GET"}),
            counter(60, 9, **{"point.http.request.method:str": "POST"}),
            counter(60, 1),
        ]
    )
    groups, _ = ask(session, "increase", by=["http.request.method"])
    assert groups == {("POST",): {0: 9}, ("GET",): {0: 6}, (None,): {0: 1}}
    assert list(groups) == [("POST",), ("GET",), (None,)]
    groups, notes = ask(session, "increase", by=["http.request.method"], limit=2)
    assert list(groups) == [("POST",), ("GET",)]
    assert notes == ["only the 2 largest groups are shown; group by fewer keys, filter, or raise limit"]


def test_a_filter_chooses_points(open_tables):
    """Only points that match are read."""
    session = open_tables(
        metrics=[counter(60, 6, **{"point.route:str": "/a"}), counter(60, 9, **{"point.route:str": "/b"})]
    )
    assert values(session, "increase", filter="route = /b") == {0: 9}


def test_histograms(open_tables):
    """Count, sum and average of the observations of each step; quantiles from the merged buckets."""
    session = open_tables(
        metrics=[
            histogram(60, (2, 0, 0, 0), 1.0),
            histogram(120, (2, 4, 0, 0), 7.0),
            histogram(60, (0, 0, 2, 0), 6.0, **{"point.route:str": "/b"}),
        ]
    )
    assert values(session, "count") == {0: 4, 60: 4}
    assert values(session, "increase") == {0: 4, 60: 4}
    assert values(session, "rate") == {0: 4 / 60, 60: 4 / 60}
    assert values(session, "sum") == {0: 7.0, 60: 6.0}
    assert values(session, "avg") == {0: 1.75, 60: 1.5}
    assert values(session, "quantile", q=0.5) == {0: 1.0, 60: 1.5}
    groups, notes = ask(session, "max")
    assert groups == {(): {0: 4.0, 60: 2.0}}
    assert notes == ["the max of cumulative histograms is estimated from their buckets"]


def test_delta_histograms_know_their_least_and_greatest(open_tables):
    """Deltas carry the exact minimum and maximum of their time."""
    session = open_tables(
        metrics=[
            histogram(60, (2, 0, 1, 0), 4.0, temporality=DELTA, min=0.25, max=3.5),
            histogram(60, (0, 1, 0, 0), 1.0, temporality=DELTA, min=1.5, max=1.5, **{"point.route:str": "/b"}),
        ]
    )
    assert values(session, "min") == {0: 0.25}
    assert values(session, "max") == {0: 3.5}


def test_histogram_resets(open_tables):
    """A restarted histogram counts from zero, by its start or by its count."""
    session = open_tables(
        metrics=[
            histogram(60, (9, 0, 0, 0), 9.0),
            histogram(120, (0, 2, 0, 0), 3.0, start_s=90),
            histogram(180, (0, 1, 0, 0), 1.5, start_s=90),
        ]
    )
    groups, notes = ask(session, "count")
    assert groups == {(): {0: 9, 60: 2, 120: 1}}
    assert notes == ["2 resets"]
    groups, notes = ask(session, "quantile", q=1.0)
    assert groups == {(): {0: 1.0, 60: 2.0, 120: 2.0}}
    assert notes == ["2 resets"]


def test_a_histogram_without_sum_has_no_average(open_tables):
    """The sum is optional; without it there is a count and no average."""
    session = open_tables(metrics=[histogram(60, (2, 0, 0, 0), None)])
    assert values(session, "avg") == {}
    assert values(session, "count") == {0: 2}


def test_different_bounds_are_noted(open_tables):
    """Quantiles over series with other bounds are interpolated, and the answer says so."""
    session = open_tables(
        metrics=[
            histogram(60, (4, 0), 1.0, bounds=(2.0,)),
            histogram(60, (1, 1, 0), 1.0, bounds=(1.0, 2.0), **{"point.route:str": "/b"}),
        ]
    )
    groups, notes = ask(session, "quantile", q=0.5)
    assert groups == {(): {0: 1.0}}
    assert notes == ["bucket bounds differ between series; observations are spread evenly inside a bucket"]


def test_bounds_that_change_are_not_subtracted(open_tables):
    """A histogram that changes its bounds while it runs adds nothing at the change."""
    session = open_tables(
        metrics=[
            histogram(60, (4, 0), 1.0, bounds=(2.0,)),
            histogram(120, (2, 3, 0), 1.0, bounds=(1.0, 2.0)),
            histogram(180, (2, 4, 0), 1.0, bounds=(1.0, 2.0)),
        ]
    )
    groups, _ = ask(session, "quantile", q=1.0)
    assert groups == {(): {0: 2.0, 120: 2.0}}


def exponential(time_s, histogram_, *, start_s=0, temporality=CUMULATIVE, **more):
    """Make a point of an exponential histogram."""
    sides = {}
    for side, counts in (("positive", histogram_.positive), ("negative", histogram_.negative)):
        if counts:
            first = min(counts)
            sides[f"{side}_offset"] = first
            sides[f"{side}_counts"] = [int(counts.get(index, 0)) for index in range(first, max(counts) + 1)]
    total = sum(histogram_.positive.values()) + sum(histogram_.negative.values()) + histogram_.zero_count
    return point(
        "exponential_histogram",
        time_s,
        start_s=start_s,
        temporality=temporality,
        count=int(total),
        sum=1.0,
        scale=histogram_.scale,
        zero_count=int(histogram_.zero_count),
        zero_threshold=histogram_.zero_threshold or None,
        **sides,
        **more,
    )


def merged(parts):
    """Merge exponential histograms the straightforward way: index by index, at the smallest scale."""
    scale = min(part.scale for part in parts)
    whole = Exponential(scale, zero_threshold=max(part.zero_threshold for part in parts))
    for part in parts:
        whole.zero_count += part.zero_count
        for mine, theirs in ((whole.positive, part.positive), (whole.negative, part.negative)):
            for index, count in theirs.items():
                lower = index >> (part.scale - scale)
                mine[lower] = mine.get(lower, 0) + count
    return whole


def any_histogram(rng):
    """Make a random exponential histogram."""
    return Exponential(
        rng.randint(-2, 5),
        zero_threshold=rng.choice([0.0, 0.01]),
        zero_count=rng.randint(0, 3),
        positive={rng.randint(-20, 20): rng.randint(0, 9) for _ in range(rng.randint(0, 6))},
        negative={rng.randint(-20, 20): rng.randint(0, 9) for _ in range(rng.randint(0, 6))},
    )


@pytest.mark.parametrize("seed", range(8))
def test_exponential_histograms_merge_like_a_reference(open_tables, seed):
    """Merging in SQL gives the quantiles of merging index by index, for deltas of many series and scales."""
    rng = random.Random(seed)  # noqa: S311 - numbers for a test
    parts = [any_histogram(rng) for _ in range(5)]
    session = open_tables(
        metrics=[exponential(60, part, temporality=DELTA, **{"point.n:int": n}) for n, part in enumerate(parts)]
    )
    for q in (0.0, 0.1, 0.5, 0.9, 1.0):
        expected = quantile(merged(parts).buckets(), q)
        found = values(session, "quantile", q=q)
        assert found == ({} if expected is None else {0: pytest.approx(expected)})


def test_cumulative_exponential_histograms_are_subtracted_at_one_scale(open_tables):
    """A process that lowers its scale adds what is new: the earlier buckets are brought to the later scale."""
    before = Exponential(1, positive={0: 4.0, 1: 2.0, 3: 1.0})
    after = Exponential(0, positive={0: 6.0, 1: 1.0, 2: 5.0})
    session = open_tables(metrics=[exponential(60, before), exponential(120, after)])
    new = Exponential(0, positive={2: 5.0})
    assert values(session, "quantile", q=0.5)[60] == pytest.approx(quantile(new.buckets(), 0.5))
    assert values(session, "count") == {0: 7, 60: 5}


def test_exponential_resets_count_from_zero(open_tables):
    """After a restart nothing is subtracted."""
    session = open_tables(
        metrics=[
            exponential(60, Exponential(0, positive={0: 4.0})),
            exponential(120, Exponential(0, positive={3: 4.0}), start_s=90),
        ]
    )
    groups, notes = ask(session, "quantile", q=1.0)
    assert groups == {(): {0: 2.0, 60: 16.0}}
    assert notes == ["1 reset"]


def test_summaries_are_shown_and_their_quantiles_never_merged(open_tables):
    """A summary's quantiles are there raw; merging them is refused with what can be asked."""
    session = open_tables(
        metrics=[point("summary", 60, count=4, sum=6.0, quantiles=[0.5, 0.9], quantile_values=[1.0, 2.0])]
    )
    raw = query_range(session, Question(WINDOW, "m"))
    (shown,) = raw["series"][0]["points"]
    assert shown == {
        "t": T0 + 60,
        "time": "2025-11-21T10:41:00.000000000Z",
        "value": 1.5,
        "count": 4,
        "sum": 6.0,
        "quantiles": [{"q": 0.5, "value": 1.0}, {"q": 0.9, "value": 2.0}],
        "exemplars": [],
    }
    with pytest.raises(BadQuestionError, match="cannot be merged") as refused:
        ask(session, "quantile", q=0.5)
    assert refused.value.hint == "Ask for one of: raw, rate, increase, count, sum, avg."
    with pytest.raises(BadQuestionError, match="cannot be merged"):
        ask(session, "max")


def test_counts_and_sums_of_summaries_are_totals(open_tables):
    """A summary's count and sum are cumulative: their increases are rates, counts, sums and means."""

    def summary(time_s, count, total, **more):
        return point("summary", time_s, start_s=0, count=count, sum=total, **more)

    session = open_tables(metrics=[summary(60, 6, 12.0), summary(120, 18, 60.0), summary(180, 19, math.nan)])
    assert values(session, "rate") == {0: 0.1, 60: 0.2, 120: 1 / 60}
    assert values(session, "increase") == {0: 6, 60: 12, 120: 1}
    assert values(session, "count") == {0: 6, 60: 12, 120: 1}
    assert values(session, "sum") == {0: 12.0, 60: 48.0}
    assert values(session, "avg") == {0: 2.0, 60: 4.0}


def test_raw_points_have_exemplars(open_tables):
    """Raw points are as sent: exact integers, with the traces that exemplify them."""
    row = counter(60, 2**60, **{"point.route:str": "/a"}) | {
        "exemplar_time_ns": [(T0 + 59) * SECOND],
        "exemplar_value_double": [0.5],
        "exemplar_value_int": [None],
        "exemplar_trace_id": [b"\x01" * 16],
        "exemplar_span_id": [b"\x02" * 8],
        "exemplar.user:str": ["u"],
    }
    session = open_tables(metrics=[row, counter(120, 3)])
    (series,) = query_range(session, Question(WINDOW, "m", filter="route = /a"))["series"]
    assert series == {
        "by": {"route": "/a"},
        "resource": {"service.name": "web"},
        "scope": {"name": "", "version": "", "attributes": {}},
        "points": [
            {
                "t": T0 + 60,
                "time": "2025-11-21T10:41:00.000000000Z",
                "value": str(2**60),
                "exemplars": [
                    {
                        "time": "2025-11-21T10:40:59.000000000Z",
                        "value": 0.5,
                        "trace_id": "01" * 16,
                        "span_id": "02" * 8,
                        "attributes": {"user": "u"},
                    }
                ],
            }
        ],
    }


def test_old_names_are_found_in_the_new_unit(open_tables):
    """A metric that was renamed from milliseconds to seconds is one metric, in the unit that is asked for."""
    old = {"metric_name": "http.server.duration", "metric_unit": "ms"}
    new = {"metric_name": "http.server.request.duration", "metric_unit": "s"}
    session = open_tables(
        metrics=[
            histogram(60, (0, 2, 0), 3000.0, bounds=(1000.0, 2000.0)) | old,
            histogram(60, (0, 2, 0), 5.0, bounds=(1.0, 2.0)) | new | {"resource.service.name:str": "api"},
        ]
    )

    def asked(name, aggregate, **options):
        found = query_range(session, Question(WINDOW, name, step_ns=60 * SECOND), aggregate, **options)
        return found["unit"], [entry["value"] for series in found["series"] for entry in series["points"]]

    assert asked("http.server.request.duration", "sum") == ("s", [8.0])
    assert asked("http.server.request.duration", "quantile", q=0.5) == ("s", [1.5])
    assert asked("http.server.duration", "sum") == ("ms", [8000.0])
    assert asked("http.server.duration", "quantile", q=0.5) == ("ms", [1500.0])


def test_bounds_that_differ_by_a_leading_zero_are_not_equal(open_tables):
    """OpenTelemetry's default bounds in milliseconds begin with 0, those of seconds do not: no bucket is mixed up."""
    session = open_tables(
        metrics=[
            histogram(60, (0, 0, 2, 0), 3.0, bounds=(0.0, 1.0, 2.0)),
            histogram(60, (0, 2, 0), 3.0, bounds=(1.0, 2.0)) | {"resource.service.name:str": "api"},
        ]
    )
    found = query_range(session, Question(WINDOW, "m", step_ns=60 * SECOND), "quantile", q=0.5)
    assert [entry["value"] for entry in found["series"][0]["points"]] == [1.5]
    assert "bucket bounds differ" in found["notes"][0]


def test_a_service_that_sends_both_names_counts_once(open_tables):
    """While migrating, a service may send old and new; only the asked one counts then."""
    session = open_tables(
        metrics=[
            histogram(60, (0, 2, 0), 3000.0, bounds=(1000.0, 2000.0))
            | {"metric_name": "http.server.duration", "metric_unit": "ms"},
            histogram(60, (0, 2, 0), 3.0, bounds=(1.0, 2.0))
            | {"metric_name": "http.server.request.duration", "metric_unit": "s"},
        ]
    )
    question = Question(WINDOW, "http.server.request.duration", step_ns=60 * SECOND)
    found = query_range(session, question, "count")
    assert [entry["value"] for entry in found["series"][0]["points"]] == [2]


def test_an_ambiguous_name_has_to_be_chosen(open_tables):
    """One name with two types or units is refused until the question says which."""
    session = open_tables(metrics=[gauge(10, 1.0, metric_unit="s"), gauge(20, 2.0, metric_unit="By"), counter(30, 5)])
    with pytest.raises(BadQuestionError) as wrong:
        ask(session, "avg")
    assert (wrong.value.field, wrong.value.message) == ("type", "The metric 'm' has several types: 'gauge', 'sum'.")
    with pytest.raises(BadQuestionError) as wrong:
        ask(session, "avg", type="gauge")
    assert wrong.value.field == "unit"
    assert values(session, "max", type="gauge", unit="By")[0] == 2.0
    with pytest.raises(BadQuestionError, match="no such type or unit"):
        ask(session, "avg", type="summary")


@pytest.mark.parametrize(
    ("options", "field", "code"),
    [
        ({"name": "nope", "aggregate": "avg"}, "name", "not_found"),
        ({"name": "m", "aggregate": "rate"}, "aggregate", "bad_request"),
        ({"name": "m", "aggregate": "quantile"}, "q", "bad_request"),
        ({"name": "m", "aggregate": "quantile", "q": 2}, "q", "bad_request"),
        ({"name": "m", "aggregate": "avg", "step_ns": 1}, "step", "bad_request"),
        ({"name": "m", "aggregate": "avg", "step_ns": 0}, "step", "bad_request"),
    ],
)
def test_errors_name_the_parameter(open_tables, options, field, code):
    """What cannot be answered says which parameter to change, and how."""
    asked = {"name": "m", "step_ns": None, "q": None} | options
    question = Question(WINDOW, asked["name"], step_ns=asked["step_ns"])
    session = open_tables(metrics=[gauge(10, 1.0)])
    with pytest.raises(BadQuestionError) as wrong:
        query_range(session, question, asked["aggregate"], asked["q"])
    assert (wrong.value.field, wrong.value.code) == (field, code)
    assert wrong.value.hint


def test_names_tell_types_units_and_temporalities_apart(open_tables):
    """The list has an entry for each identity, with the newest description and the services that send it."""
    session = open_tables(
        metrics=[
            counter(10, 1, metric_description="old"),
            counter(20, 2, metric_description="new", **{"resource.service.name:str": "api"}),
            counter(30, 2, temporality=DELTA),
            gauge(40, 1.0, metric_name="n", metric_unit="By"),
            gauge(900, 1.0, metric_name="late"),
        ]
    )
    common = {"name": "m", "type": "sum", "unit": "", "is_monotonic": True}
    listed = list_metrics(session, WINDOW)["metrics"]
    assert listed == [
        {**common, "description": "", "temporality": "delta", "points": 1, "services": ["web"]},
        {**common, "description": "new", "temporality": "cumulative", "points": 2, "services": ["api", "web"]},
        {
            "name": "n",
            "type": "gauge",
            "unit": "By",
            "description": "",
            "temporality": None,
            "is_monotonic": None,
            "points": 1,
            "services": ["web"],
        },
    ]
    assert [entry["name"] for entry in list_metrics(session, WINDOW, prefix="n")["metrics"]] == ["n"]
    assert [entry["points"] for entry in list_metrics(session, WINDOW, service="api")["metrics"]] == [1]


def test_series_are_label_sets(open_tables):
    """Each series has its attributes, resource and last value; an overflowed attribute tells it apart too."""
    session = open_tables(
        metrics=[
            gauge(10, 1.0, **{"point.cpu:int": 0}),
            gauge(20, 2.0, **{"point.cpu:int": 0}),
            gauge(30, 3.0, overflow_name=["point.rare:str"], overflow_value=["x"], overflow_index=[None]),
        ]
    )
    scope = {"name": "", "version": "", "attributes": {}}
    assert metric_series(session, Question(WINDOW, "m"))["series"] == [
        {
            "attributes": {"cpu": 0},
            "resource": {"service.name": "web"},
            "scope": scope,
            "points": 2,
            "last_value": 2.0,
            "last_time": "2025-11-21T10:40:20.000000000Z",
        },
        {
            "attributes": {"rare": "x"},
            "resource": {"service.name": "web"},
            "scope": scope,
            "points": 1,
            "last_value": 3.0,
            "last_time": "2025-11-21T10:40:30.000000000Z",
        },
    ]


def test_the_default_step_cuts_the_range_in_about_120(open_tables):
    """Without a step the range is cut into at most 120 round ones."""
    assert query_range(open_tables(metrics=[gauge(10, 1.0)]), Question(WINDOW, "m"), "avg")["step_s"] == 5
