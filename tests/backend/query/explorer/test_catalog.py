"""The catalog of metrics and their courses."""

from __future__ import annotations

import pytest
from metric_tables import CUMULATIVE, DELTA, SECOND, T0, WINDOW, counter, gauge, histogram, point

from spanglass_server.query.explorer.catalog import list_catalog, list_courses
from spanglass_server.store.ports import Window


def flat(name, told, value, kind="sum", time_s=10, **labels):
    """Make a point of a series that Prometheus sent."""
    attributes = {f"point.{key}:str": text for key, text in labels.items()}
    attributes |= {"is_monotonic": True, "temporality": CUMULATIVE} if kind == "sum" else {}
    metadata = f'{{"prometheus.type":"{told}"}}'
    return point(
        kind,
        time_s,
        metric_name=name,
        scope_name="prometheus",
        value_double=value,
        metric_metadata=metadata,
        **attributes,
    )


def entry(session, **how):
    """Return the only metric of a catalog."""
    (found,) = list_catalog(session, WINDOW, **how)["metrics"]
    return found


def test_a_metric_is_told_with_series_points_services_and_its_newest(open_tables):
    """Two services with a route each, three points: two series, and the newest description."""
    rows = [
        gauge(10, 1.0, metric_unit="By", metric_description="old"),
        gauge(30, 2.0, metric_unit="By", metric_description="new"),
        gauge(20, 1.0, metric_unit="By", **{"resource.service.name:str": "api", "point.route:str": "/"}),
    ]
    assert entry(open_tables(metrics=rows)) == {
        "name": "m", "type": "gauge", "shape": "gauge", "unit": "By", "description": "new", "temporality": None,
        "is_monotonic": False, "is_flat": False, "parts": [], "services": ["api", "web"], "series": 2, "points": 3,
        "last_time": "2025-11-21T10:40:30.000000000Z",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "shape"),
    [
        (gauge(1, 1.0), "gauge"),
        (counter(1, 1), "counter"),
        (point("sum", 1, value_int=1, temporality=DELTA), "counter"),
        (point("sum", 1, value_int=1, is_monotonic=False, temporality=CUMULATIVE), "gauge"),
        (histogram(1, [1, 0, 0, 0], 1.0), "histogram"),
        (point("exponential_histogram", 1, count=1, temporality=DELTA), "native_histogram"),
        (point("summary", 1, count=1), "summary"),
        (flat("x_total", "unknown", 1.0), "counter"),
        (flat("up", "gauge", 1.0, kind="gauge"), "gauge"),
    ],
)
def test_the_shape_says_what_a_chart_shows(open_tables, row, shape):
    """Levels, what rises, and distributions are drawn differently."""
    assert entry(open_tables(metrics=[row]))["shape"] == shape


def test_a_histogram_of_prometheus_is_one_metric(open_tables):
    """Its buckets, sum and count come as series of their own and are listed under their common name."""
    rows = [flat("x_bucket", "histogram", 3.0, le="1"), flat("x_bucket", "histogram", 4.0, le="+Inf"),
            flat("x_count", "histogram", 4.0), flat("x_sum", "histogram", 2.0)]  # fmt: skip
    found = entry(open_tables(metrics=rows))
    assert (found["name"], found["shape"], found["series"]) == ("x", "histogram", 4)
    assert found["parts"] == ["x_bucket", "x_count", "x_sum"]


def test_names_are_searched_by_a_part_and_by_service(open_tables):
    """Capitals do not matter; a service's own metrics alone are listed."""
    rows = [gauge(1, 1.0, metric_name="shop.Orders"), gauge(1, 1.0, metric_name="cpu")]
    session = open_tables(metrics=rows)
    assert entry(session, text="order")["name"] == "shop.Orders"
    assert list_catalog(session, WINDOW, service="nobody")["metrics"] == []
    assert list_catalog(session, WINDOW, limit=1)["truncated"]


def test_courses_show_levels_as_means_and_what_rises_by_the_second(open_tables):
    """Two series of a counter add up; a fall is a restart and counts from zero; deltas are what they are."""
    a, b = {"point.k:str": "a"}, {"point.k:str": "b"}
    rows = [
        *(counter(t, v, metric_name="c", **a) for t, v in ((0, 100), (60, 160), (120, 12))),
        *(counter(t, v, metric_name="c", **b) for t, v in ((0, 0), (60, 60))),
        *(gauge(t, v, metric_name="g") for t, v in ((0, 1.0), (30, 3.0), (60, 5.0))),
        counter(60, 30, metric_name="d", temporality=DELTA),
        histogram(60, [1, 1, 0, 0], 1.0, metric_name="h"),
        histogram(120, [4, 4, 0, 0], 9.0, metric_name="h"),
    ]
    window = Window(T0 * SECOND, (T0 + 180) * SECOND)
    found = list_courses(open_tables(metrics=rows), window, ["c", "g", "d", "h"], 3)
    assert found["start"] == T0
    assert found["step_s"] == 60
    assert {course["name"]: course["values"] for course in found["courses"]} == {
        "c": [0, 2, 0.2], "g": [2.0, 5.0, None], "d": [None, 0.5, None], "h": [None, 0, 0.1],
    }  # fmt: skip
