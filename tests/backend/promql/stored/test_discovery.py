"""What is told of stored series besides their samples: resources, metadata, exemplars."""

from __future__ import annotations

import pytest
from stored_points import START_MS, found, gauge, point, selector

from spanglass_server.promql.stored.source import StoredSeries

HISTOGRAM = '{"prometheus.type":"histogram"}'
CART = {
    "resource.service.name:str": "cart",
    "resource.service.instance.id:str": "cart-1",
    "resource.host.name:str": "h1",
    "resource.process.pid:int": 7,
}


def test_target_info_tells_the_resources(open_tables):
    """A series of value 1 for each resource, at the times of its points; none for what came from Prometheus."""
    rows = [
        point(0, value_double=5, attributes=CART),
        point(3, name="y", value_double=5, attributes=CART),
        point(60, value_double=5, attributes=CART),
        point(60, value_double=5, attributes={"resource.service.name:str": "nothing besides"}),
        point(60, value_double=5, scope_name="prometheus", attributes={**CART, "resource.host.name:str": "h2"}),
    ]
    session = open_tables(metrics=rows)
    assert found(session, "target_info") == {
        "target_info{host_name=h1,instance=cart-1,job=cart,process_pid=7}": [(3, 1), (60, 1)]
    }
    assert StoredSeries(session).series([selector("target_info", "job=cart")]) == [
        {"__name__": "target_info", "host_name": "h1", "instance": "cart-1", "job": "cart", "process_pid": "7"}
    ]


def test_label_names_values_and_series(open_tables):
    """Labels and label sets of what matches; all metrics without a matcher on the name."""
    buckets = {"bucket_counts": [1, 1], "explicit_bounds": [0.5], "count": 2}
    rows = [gauge(0, 1, a="1"), gauge(0, 2, b="2"), point(name="y", value_double=1, attributes=CART)]
    session = open_tables(metrics=[*rows, point(kind="histogram", name="h", temporality=2, **buckets)])
    series = StoredSeries(session)
    assert series.label_names([selector("x")]) == ["__name__", "a", "b"]
    assert series.label_values("a", [selector("x")]) == ["1"]
    assert series.label_values("le", [selector("h_bucket")]) == ["+Inf", "0.5"]
    assert series.label_values("host_name", [selector("y")]) == ["h1"]
    assert series.label_values("__name__", [selector()]) == ["h_bucket", "h_count", "h_sum", "target_info", "x", "y"]
    assert series.series([selector("x"), selector("x", "a=1")]) == [
        {"__name__": "x", "a": "1"},
        {"__name__": "x", "b": "2"},
    ]


def test_exemplars_alone_are_no_series(open_tables):
    """A metric of which only exemplars came has no series, and stands in no one's way."""
    alone = point(name="x_bucket", scope_name="prometheus", exemplar_value_double=[1.0], exemplar_time_ns=[1])
    series = StoredSeries(open_tables(metrics=[alone, gauge(0, 1, a="1")]))
    assert series.series([selector("x_bucket")]) == []
    assert series.series([selector("a=1")]) == [{"__name__": "x", "a": "1"}]
    alone_too = [alone | {"metric_name": kind, "metric_type": kind} for kind in ("histogram", "exponential_histogram")]
    session = open_tables(metrics=[alone, *alone_too])
    assert [found(session, name) for name in ("x_bucket", "histogram", "exponential_histogram")] == [{}, {}, {}]
    empty = [point(kind=kind, name=kind, temporality=2) for kind in ("histogram", "exponential_histogram", "summary")]
    assert found(open_tables(metrics=empty), "__name__=~.+", "__name__!=target_info") == {}


def test_discovery_is_of_the_range(open_tables):
    """Series without a point in the range are not listed."""
    series = StoredSeries(open_tables(metrics=[gauge(0, 1, a="1"), gauge(100, 2, a="2")]))
    assert series.label_values("a", [selector("x", between=(START_MS, START_MS + 200_000))]) == ["2"]


@pytest.mark.parametrize(
    ("row", "name", "told"),
    [
        (point(name="a.b", kind="sum", is_monotonic=True, metric_unit="By/s"), "a_b_bytes_per_second_total", "counter"),
        (point(name="a", kind="sum", metric_unit="s"), "a_seconds", "gauge"),
        (point(name="a", kind="histogram", metric_unit="s"), "a_seconds", "histogram"),
        (point(name="a", kind="exponential_histogram"), "a", "histogram"),
        (point(name="a", kind="summary"), "a", "summary"),
        (
            point(name="a_bucket", scope_name="prometheus", metric_metadata='{"prometheus.type":"histogram"}'),
            "a",
            "histogram",
        ),
        (point(name="a_total", scope_name="prometheus"), "a_total", "unknown"),
    ],
)
def test_metadata(open_tables, row, name, told):
    """Type, help and unit are told under the name of the family."""
    series = StoredSeries(open_tables(metrics=[row | {"metric_description": "What it is."}]))
    (entry,) = series.metadata(START_MS - 1, START_MS + 1)[name]
    assert (entry["type"], entry["help"]) == (told, "What it is.")
    assert entry["unit"] in {"", "seconds", "bytes_per_second"}


def test_exemplars(open_tables):
    """Exemplars come with the labels of their series, the bucket that holds them, their ids and attributes."""
    exemplar = {
        "exemplar_time_ns": [START_MS * 1_000_000 - 10**9, START_MS * 1_000_000 + 10**9],
        "exemplar_value_double": [9.0, 0.3],
        "exemplar_trace_id": [b"\x01" * 16, b"\x02" * 16],
        "exemplar_span_id": [None, b"\x03" * 8],
    }
    attributes = {"point.a:str": "1", "exemplar.user.id:int": [4, 5]}
    buckets = {"bucket_counts": [1, 1], "explicit_bounds": [0.5], "count": 2}
    rows = [point(5, kind="histogram", name="h", temporality=2, attributes=attributes, **buckets, **exemplar)]
    series = StoredSeries(open_tables(metrics=rows))
    assert series.exemplars([selector("h_bucket")]) == [
        {
            "seriesLabels": {"__name__": "h_bucket", "a": "1", "le": "0.5"},
            "exemplars": [
                {
                    "labels": {"trace_id": "02" * 16, "span_id": "03" * 8, "user_id": "5"},
                    "value": "0.3",
                    "timestamp": START_MS / 1000 + 1,
                }
            ],
        }
    ]
    assert series.exemplars([selector("h_bucket", "le=+Inf")]) == []
    assert series.exemplars([selector("h_bucket", "a=2")]) == []
