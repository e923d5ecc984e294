from __future__ import annotations

import math

import pytest
from nodes import NOW_NS
from remote_write_bodies import STALE, Write1, Write2

MS = NOW_NS // 10**6
LABELS = {"__name__": "lat", "job": "x"}


def histogram(version=Write1, **fields):
    """A request with one native histogram: spans as pairs, the other fields by their names."""
    request = version()
    message = request.series(LABELS).histograms.add(timestamp=MS)
    for name, value in fields.items():
        if name.endswith("spans"):
            for offset, length in value:
                getattr(message, name).add(offset=offset, length=length)
        elif isinstance(value, list):
            getattr(message, name).extend(value)
        else:
            setattr(message, name, value)
    return request


def values(row):
    """What a row has besides name, labels and time."""
    return {
        name: value
        for name, value in row.items()
        if name not in ("metric_name", "time_ns", "scope_name", "temporality") and "." not in name
    }


WHOLE = {
    "count_int": 9,
    "sum": 3.5,
    "schema": 3,
    "zero_threshold": 1e-9,
    "zero_count_int": 1,
    "positive_spans": [(-2, 2), (3, 1)],
    "positive_deltas": [1, 2, -2],
    "negative_spans": [(0, 1)],
    "negative_deltas": [3],
    "reset_hint": 2,
}


@pytest.mark.parametrize("version", [Write1, Write2])
def test_integer_histograms(write, version):
    """Deltas are added up, gaps become empty buckets, and an offset is one less than Prometheus' index."""
    answer = write(histogram(version, **WHOLE))
    assert (answer.accepted, answer.kinds["histograms"]) == (1, 1)
    (row,) = write.rows()
    assert values(row) == {
        "metric_type": "exponential_histogram",
        "count": 9,
        "sum": 3.5,
        "scale": 3,
        "zero_threshold": 1e-9,
        "zero_count": 1,
        "positive_offset": -3,
        "positive_counts": [1, 3, 0, 0, 0, 1],
        "negative_offset": -1,
        "negative_counts": [3],
        "reset_hint": 2,
    }


def test_float_histograms(write):
    """Counts that are no whole numbers are kept as they are, and rounded beside it; gauges say so."""
    write(
        histogram(
            count_float=4.75,
            sum=-1,
            schema=-4,
            zero_count_float=0.25,
            positive_spans=[(1, 1), (1, 1)],
            positive_counts=[1.5, 3],
            reset_hint=3,
        )
    )
    (row,) = write.rows()
    assert values(row) == {
        "metric_type": "exponential_histogram",
        "count": 5,
        "count_double": 4.75,
        "sum": -1,
        "scale": -4,
        "zero_threshold": 0,
        "zero_count": 0,
        "zero_count_double": 0.25,
        "positive_offset": 0,
        "positive_counts": [2, 0, 3],
        "positive_counts_double": [1.5, 0, 3],
        "reset_hint": 3,
    }


def test_custom_buckets(write):
    """Schema -53 has bounds of its own, and buckets from the first to that of +Inf."""
    answer = write(
        histogram(
            count_int=6,
            sum=3,
            schema=-53,
            custom_values=[1, 2, 5],
            positive_spans=[(1, 1), (1, 1)],
            positive_deltas=[2, 2],
        )
    )
    assert answer.kinds["custom_histograms"] == 1
    (row,) = write.rows()
    assert values(row) == {
        "metric_type": "histogram",
        "count": 6,
        "sum": 3,
        "explicit_bounds": [1, 2, 5],
        "bucket_counts": [0, 2, 0, 4],
    }


def test_whole_and_float_histograms_in_one_request(write):
    """Each of several histograms keeps its own counts, whatever its neighbours are; a marker ends the series."""
    request = histogram(**WHOLE)
    for fields in ({"count_float": 1.5, "positive_counts": [1.5]}, {"count_int": 7, "positive_deltas": [7]}):
        other = histogram(positive_spans=[(0, 1)], **fields).message.timeseries[0].histograms[0]
        other.timestamp = MS + len(request.message.timeseries[0].histograms)
        request.message.timeseries[0].histograms.append(other)
    request.message.timeseries[0].histograms.add(timestamp=MS + 9, sum=STALE)
    request.message.timeseries[0].histograms.add(timestamp=MS + 10, sum=math.nan, count_int=1)
    write(request)
    first, floats, whole, marker, nan = write.rows()
    assert (first["positive_counts"], "positive_counts_double" in first) == ([1, 3, 0, 0, 0, 1], False)
    assert (floats["positive_counts"], floats["positive_counts_double"]) == ([2], [1.5])
    assert (whole["positive_counts"], "positive_counts_double" in whole) == ([7], False)
    assert values(marker) == {"metric_type": "exponential_histogram", "flags": 1}
    assert math.isnan(nan["sum"])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"positive_spans": [(0, 2)], "positive_deltas": [1]}, "do not fit its spans"),
        ({"positive_spans": [(0, 1), (-1, 1)], "positive_deltas": [1, 1]}, "do not fit its spans"),
        ({"positive_spans": [(0, 2)], "positive_deltas": [1, -2]}, "has a negative count"),
        ({"positive_spans": [(0, 1), (100_000, 1)], "positive_deltas": [1, 1]}, "spans more than 65536 buckets"),
        ({"positive_spans": [(0, 2**32 - 1)], "positive_deltas": [1]}, "do not fit its spans"),
        ({"schema": 99}, "schema of a native histogram is not known"),
        ({"schema": -53, "custom_values": [2, 1]}, "must rise"),
        ({"schema": -53, "custom_values": [2], "positive_spans": [(2, 1)], "positive_deltas": [1]}, "custom bounds"),
    ],
)
def test_a_bad_histogram_costs_no_other(write, fields, reason):
    """What can't be stored is left out with the reason; its neighbour is stored."""
    request = histogram(**WHOLE)
    request.message.timeseries.append(histogram(count_int=1, **fields).message.timeseries[0])
    answer = write(request)
    assert (answer.accepted, answer.rejected) == (1, 1)
    assert reason in answer.message
    assert [row["count"] for row in write.rows()] == [9]


def test_empty_buckets_have_a_limit(write):
    """Histograms of one request may not unfold to any amount of memory."""
    request = Write1()
    wide = histogram(count_int=2, positive_spans=[(0, 1), (60_000, 1)], positive_deltas=[1, 0]).message.timeseries[0]
    for at in range(20):
        request.message.timeseries.append(wide)
        request.message.timeseries[at].histograms[0].timestamp = MS + at
    answer = write(request)
    assert (answer.accepted, answer.rejected) == (8, 12)
    assert "too many empty buckets" in answer.message
