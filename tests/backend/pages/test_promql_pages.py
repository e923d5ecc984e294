"""PromQL on pages: the box, its errors, what a metric's chart is called in it, and series that Prometheus sent."""

from __future__ import annotations

import re
from html import unescape

import pytest
from in_process import read
from metric_tables import CUMULATIVE, SECOND, T0, point

from spanglass_server.pages.metrics.choice import WAYS, Choice
from spanglass_server.pages.metrics.expression import expressions

NOW_NS = (T0 + 600) * SECOND


def page(session, path):
    """Read a page of the tests' range."""
    return read(session, f"{path}{'&' if '?' in path else '?'}start={T0}&end={T0 + 600}", NOW_NS)


def flat(name, time_s, value, told="histogram", **labels):
    """Make a point of a series that Prometheus sent."""
    attributes = {f"point.{key}:str": text for key, text in {"job": "api", **labels}.items()}
    return point(
        "sum", time_s, metric_name=name, scope_name="prometheus", value_double=value, is_monotonic=True,
        temporality=CUMULATIVE, metric_metadata=f'{{"prometheus.type":"{told}"}}', start_s=-9000, **attributes,
    )  # fmt: skip


def metric(shape, kind="sum", *, unit="", is_flat=False, is_monotonic=False):
    """Make a metric of a catalog."""
    return {
        "name": "http.requests",
        "shape": shape,
        "type": kind,
        "unit": unit,
        "is_flat": is_flat,
        "is_monotonic": is_monotonic,
    }


COUNTER = metric("counter", is_monotonic=True)
SECONDS = metric("histogram", "histogram", unit="s")
P95 = "histogram_quantile(0.95, "


@pytest.mark.parametrize(
    ("what", "way", "by", "filter_text", "expected"),
    [
        (COUNTER, "rate", (), "", "sum (rate(http_requests_total[5m]))"),
        (COUNTER, "increase", (), "", "sum (increase(http_requests_total[30s]))"),
        (
            COUNTER,
            "rate",
            ("http.route",),
            'a.b = "x\\"y"',
            'sum by (http_route) (rate(http_requests_total{a_b="x\\"y"}[5m]))',
        ),
        (metric("gauge", "gauge", unit="1"), "avg", (), "", "avg (http_requests_ratio)"),
        (metric("gauge"), "p95", ("k",), "", "quantile by (k) (0.95, http_requests)"),
        (SECONDS, "p95", ("k",), "", P95 + "sum by (le, k) (rate(http_requests_seconds_bucket[5m])))"),
        (SECONDS, "rate", (), "", "sum (rate(http_requests_seconds_count[5m]))"),
        (
            SECONDS,
            "avg",
            (),
            "",
            "sum (rate(http_requests_seconds_sum[5m])) / sum (rate(http_requests_seconds_count[5m]))",
        ),
        (metric("native_histogram", "exponential_histogram"), "p95", (), "", P95 + "sum (rate(http_requests[5m])))"),
        (
            metric("native_histogram", "exponential_histogram"),
            "rate",
            (),
            "",
            "histogram_count(sum (rate(http_requests[5m])))",
        ),
        (metric("counter", is_flat=True), "rate", (), "k in (a, b.c)", 'sum (rate(http.requests{k=~"a|b\\\\.c"}[5m]))'),
        (COUNTER, "rate", (), "a != 1 and b ~ x", 'sum (rate(http_requests_total{a!="1", b=~"x"}[5m]))'),
        (COUNTER, "rate", (), "a = 1 or b = 2", None),
        (COUNTER, "rate", (), "a > 1", None),
    ],
)
def test_a_chart_is_said_in_promql(what, way, by, filter_text, expected):
    """Names and labels are Prometheus', the filter becomes matchers where it can."""
    chosen = next(each for each in WAYS[what["shape"]] if each.key == way)
    found = expressions(Choice(what, chosen, by, filter_text, "none", "", per_s=False), 30)
    assert found == (None if expected is None else [expected])


@pytest.mark.parametrize(
    ("unit", "way", "shown"),
    [("{order}", "rate", "/s"), ("By", "rate", "bytes/s"), ("s", "rate", ""), ("By", "increase", "bytes")],
)
def test_a_rate_has_the_unit_that_fits_on_an_axis(unit, way, shown):
    """What is counted stands in the title, and is left out beside every number."""
    chosen = next(each for each in WAYS["counter"] if each.key == way)
    assert Choice(COUNTER, chosen, (), "", "none", unit, per_s=way == "rate").chart_unit == shown


def test_a_histogram_of_prometheus_is_drawn_by_promql(open_tables):
    """Its quantiles come from its buckets, which are series of their own."""
    rows = [
        flat("x_bucket", t, t * share, le=le)
        for t in range(0, 601, 15)
        for le, share in (("1", 0.5), ("2", 1.0), ("+Inf", 1.0))
    ]
    rows += [flat("x_count", t, float(t)) for t in range(0, 601, 15)]
    status, text, source = page(open_tables(metrics=rows), "/metrics/x")
    assert status == 200
    assert "p50 1" in text
    assert "p95 1.9" in text
    assert "histogram_quantile(0.95, sum by (le) (rate(x_bucket[5m])))" in text
    assert "x_bucket, x_count" in text
    assert '"legend": "p95"' in unescape(source)
    assert page(open_tables(metrics=rows), "/metrics/x?filter=a+%3E+1")[0] == 400
    assert source.count("data-draw=") == 1


def test_any_promql_has_a_chart_and_values(open_tables):
    """With the labels that tell its series apart; a range of samples has values alone."""
    session = open_tables(metrics=[flat("up", t, 1.0, "gauge", instance=i) for t in range(0, 601, 15) for i in "ab"])
    status, text, source = page(session, "/metrics/explore?query=up%20*%202")
    assert status == 200
    assert '{instance="a", job="api"} 2' in text or 'instance="a"' in text
    assert source.count("data-draw=") == 1
    assert '{"type": "line", "queries": [{"promql": "up * 2"}]}' in unescape(source)
    (link,) = re.findall(r'href="(/api/v1/promql/export[^"]*format=csv)" download="promql.csv"', source)
    assert "query=up%20%2A%202&amp;step=15s" in link
    assert "has no course over time" in page(session, "/metrics/explore?query=up[1m]")[1]
    assert "No series at that moment" in page(session, "/metrics/explore?query=down")[1]


@pytest.mark.parametrize(
    ("query", "says"),
    [("sum(", "parse error"), ("rate(up)", "parse error: expected type"), ("", "Ask in PromQL")],
)
def test_promql_that_cannot_be_read_says_where(open_tables, query, says):
    """The expression stays in its box, and the message has line and column; without one there are examples."""
    status, text, source = page(open_tables(metrics=[]), f"/metrics/explore?query={query}")
    assert status == (400 if query else 200)
    assert says in text
    assert not query or f'value="{query}"' in source
