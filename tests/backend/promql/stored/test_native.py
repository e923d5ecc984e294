"""Exponential and explicit histograms as native histograms."""

from __future__ import annotations

import pytest
from stored_points import START_MS, found, point, selector, stale

from spanglass_server.promql.engine import Options, instant
from spanglass_server.promql.series.histograms import CUSTOM_SCHEMA, ResetHint
from spanglass_server.promql.stored.source import StoredSeries

KIND = {"kind": "exponential_histogram", "temporality": 2, "name": "h"}
#: 3 in (1, 2], 1 in (2, 4], 1 in [-2, -1), 2 around zero.
FILLED = {
    "scale": 0,
    "zero_count": 2,
    "zero_threshold": 0.001,
    "count": 7,
    "sum": 9.5,
    "positive_offset": 0,
    "positive_counts": [3, 0, 1],
    "negative_offset": 0,
    "negative_counts": [1],
}
EXPLICIT = {"bucket_counts": [2, 1, 1], "explicit_bounds": [0.1, 1.0], "count": 4, "sum": 3.5}


def read(session, *conditions):
    """The histograms that a selector finds, in order, as plain dictionaries; None for markers."""
    samples = StoredSeries(session).select(selector(*conditions))
    assert samples.histogram is not None
    return [
        None if samples.is_stale is not None and samples.is_stale[row] else plain(samples.histograms, place)
        for row, place in enumerate(samples.histogram.tolist())
    ]


def plain(histograms, place):
    """One histogram as a dictionary."""
    return {
        "schema": int(histograms.schema[place]),
        "zero": (float(histograms.zero_threshold[place]), float(histograms.zero_count[place])),
        "count": float(histograms.count[place]),
        "sum": float(histograms.sum[place]),
        "positive": buckets(histograms.positive, place),
        "negative": buckets(histograms.negative, place),
    }


def buckets(side, place):
    """The filled buckets of one histogram by index."""
    own = slice(int(side.offsets[place]), int(side.offsets[place + 1]))
    return dict(zip(side.index[own].tolist(), side.count[own].tolist(), strict=True))


def test_exponential_histograms_are_native(open_tables):
    """Bucket i of OTLP is bucket i + 1 of Prometheus; empty buckets are left out."""
    session = open_tables(metrics=[point(**KIND, **FILLED)])
    assert read(session, "h") == [
        {
            "schema": 0,
            "zero": (0.001, 2),
            "count": 7,
            "sum": 9.5,
            "positive": {1: 3, 3: 1},
            "negative": {1: 1},
        }
    ]
    assert found(session, "h_count") == {"h_count{}": [(0, 7)]}
    assert found(session, "__name__=~h.*", "__name__!=target_info").keys() == {"h{}"}


def test_scales_past_8_are_made_coarser(open_tables):
    """Prometheus knows no finer schema than 8: neighbouring buckets are added."""
    fine = {"scale": 10, "count": 10, "positive_offset": -1, "positive_counts": [1, 2, 3, 4]}
    assert read(open_tables(metrics=[point(**KIND, **fine)]), "h")[0] | {"sum": 0} == {
        "schema": 8,
        "zero": (1e-128, 0),
        "count": 10,
        "sum": 0,
        "positive": {0: 1, 1: 9},
        "negative": {},
    }


def test_markers_end_native_histograms(open_tables):
    """A point without a recorded value is a marker, whatever it holds."""
    rows = [point(0, **KIND, **FILLED), stale(point(10, **KIND, **FILLED))]
    histograms = read(open_tables(metrics=rows), "h")
    assert histograms[1] is None
    assert histograms[0] is not None


def test_delta_histograms_are_added_up(open_tables):
    """Counts, sums and buckets of deltas add up, at the coarsest scale of the range."""
    fine = {"scale": 1, "count": 2, "sum": 2.5, "positive_offset": 0, "positive_counts": [1, 1]}
    rows = [
        point(10, start=0, **KIND, **fine) | {"temporality": 1},
        point(20, start=10, **KIND, **FILLED) | {"temporality": 1},
        point(30, start=20, **KIND, **fine) | {"temporality": 1},
    ]
    histograms = read(open_tables(metrics=rows), "h")
    assert [each["count"] for each in histograms] == [2, 9, 11]
    assert [each["sum"] for each in histograms] == [2.5, 12, 14.5]
    assert [each["schema"] for each in histograms] == [0, 0, 0]
    assert [{i: n for i, n in each["positive"].items() if n} for each in histograms] == [
        {1: 2},
        {1: 5, 3: 1},
        {1: 7, 3: 1},
    ]
    assert [sum(each["negative"].values()) for each in histograms] == [0, 1, 1]


def test_explicit_histograms_are_native_under_their_plain_name(open_tables):
    """Without a suffix an explicit histogram is a native one with custom buckets."""
    rows = [point(kind="histogram", name="h.d", metric_unit="s", temporality=2, **EXPLICIT)]
    session = open_tables(metrics=rows)
    expected = {"schema": CUSTOM_SCHEMA, "zero": (0, 0), "count": 4, "sum": 3.5, "negative": {}}
    for name in ("h_d_seconds", "h.d"):
        assert read(session, name) == [expected | {"positive": {0: 2, 1: 1, 2: 1}}]
    series = StoredSeries(session).select(selector("h_d_seconds"))
    assert series.histograms.bounds == ((0.1, 1.0),)


def test_native_histograms_of_prometheus(open_tables):
    """Counts that are no whole numbers, reset hints and custom buckets come back as they were sent."""
    gauge = {"count_double": 2.5, "positive_counts_double": [1.5, 1.0], "positive_counts": [2, 1]}
    custom = {"bucket_counts": [1, 1], "explicit_bounds": [5.0], "count": 2, "sum": 7}
    rows = [
        point(**KIND, scope_name="prometheus", reset_hint=3, **FILLED | gauge),
        point(10, kind="histogram", name="c", scope_name="prometheus", temporality=2, **custom),
    ]
    session = open_tables(metrics=rows)
    samples = StoredSeries(session).select(selector("h"))
    assert samples.histograms.reset_hint.tolist() == [ResetHint.GAUGE]
    assert read(session, "h")[0]["positive"] == {1: 1.5, 2: 1.0}
    assert read(session, "h")[0]["count"] == 2.5
    assert read(session, "c")[0]["positive"] == {0: 1, 1: 1}


def test_resets_are_told_by_counts(open_tables):
    """What a sender says of resets is not believed, as Prometheus' storage does not: the counts show them."""
    counts = [(0, 2, 0), (10, 3, 1), (20, 1, 2), (30, 4, 1)]  # time, count, hint; hint 1: reset, 2: none
    kinds = (
        {**KIND, "name": "e", "zero_count": 0, "scale": 0, "positive_offset": 0},
        {"kind": "histogram", "name": "c", "temporality": 2, "explicit_bounds": [5.0]},
    )
    rows = [
        point(at, **kind, scope_name="prometheus", reset_hint=hint, count=count, sum=1.0, **{field: buckets})
        for kind, field, more in zip(kinds, ("positive_counts", "bucket_counts"), ([], [0]), strict=True)
        for at, count, hint in counts
        for buckets in [[count, *more]]
    ]
    series = StoredSeries(open_tables(metrics=rows))
    for name in ("e", "c"):
        assert instant(series, f"resets({name}[5m])", START_MS + 60_000).value.values.tolist() == [[1]]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("histogram_count(h)", 14),
        ("histogram_sum(rate(h[1m]))", 9.5 / 60),
        ("histogram_quantile(0.5, sum(increase(h[1m])))", 2 ** (1 / 6)),
        ("histogram_quantile(0.5, sum by (le) (increase(e_bucket[1m])))", 0.1),
    ],
)
def test_functions_of_histograms(open_tables, expression, value):
    """The engine computes of stored histograms what it does of any."""
    doubled = {name: n * 2 for name, n in FILLED.items() if name in {"zero_count", "count", "sum"}}
    doubled |= {"positive_counts": [6, 0, 2], "negative_counts": [2]}
    twice = EXPLICIT | {"bucket_counts": [4, 2, 2], "count": 8}
    rows = [point(0.001, **KIND, **FILLED), point(60, **KIND, **FILLED | doubled)]
    rows += [point(t, kind="histogram", name="e", temporality=2, **h) for t, h in ((0.001, EXPLICIT), (60, twice))]
    answer = instant(StoredSeries(open_tables(metrics=rows)), expression, START_MS + 60_000, Options())
    assert answer.value.values[:, 0].tolist() == pytest.approx([value], rel=0.001)
