"""OTLP's names as Prometheus': metrics with their units and types, attributes as labels, values as text."""

from __future__ import annotations

import pytest

from spanglass_server.promql.stored.naming.identity import Form, Identity, names_of
from spanglass_server.promql.stored.naming.names import label_name
from spanglass_server.promql.stored.naming.texts import TEXT_OF, plain_float
from spanglass_server.signals import ValueType


@pytest.mark.parametrize(
    ("name", "unit", "kind", "translated"),
    [
        ("http.server.active_requests", "{request}", "level", "http_server_active_requests"),
        ("system.cpu.utilization", "1", "gauge", "system_cpu_utilization_ratio"),
        ("cpu.ratio", "1", "gauge", "cpu_ratio"),
        ("requests", "1", "counter", "requests_total"),
        ("requests", "1", "level", "requests"),
        ("requests.total", "", "counter", "requests_total"),
        ("total.requests", "", "counter", "requests_total"),
        ("system.network.io", "By", "counter", "system_network_io_bytes_total"),
        ("memory.bytes.used", "By", "gauge", "memory_bytes_used"),
        ("disk.speed", "By/s", "gauge", "disk_speed_bytes_per_second"),
        ("rate", "{packet}/s", "gauge", "rate_per_second"),
        ("fuel", "m/{gear}", "gauge", "fuel_meters"),
        ("x", "foo/bar", "gauge", "x_foo_per_bar"),
        ("uptime", "d", "gauge", "uptime_days"),
        ("temp", "Cel", "gauge", "temp_celsius"),
        ("load", "%", "gauge", "load_percent"),
        ("1st.place", "", "gauge", "_1st_place"),
        ("a__b..c", "", "gauge", "a_b_c"),
        ("job:x:rate5m", "", "gauge", "job:x:rate5m"),
        ("größe", "", "gauge", "gr_e"),
        ("latency", "ms", "gauge", "latency_milliseconds"),
        ("odd", "req/min/core", "gauge", "odd_req_per_min_core"),
    ],
)
def test_metric_names(name, unit, kind, translated):
    """A metric's name gets its unit and ``_total`` or ``_ratio`` as Prometheus' OTLP translation adds them."""
    identity = Identity(name, unit, "gauge" if kind == "gauge" else "sum", 2, kind == "counter", is_verbatim=False)
    assert names_of(identity)[0].name == translated


@pytest.mark.parametrize(
    ("kind", "listed", "extra"),
    [
        (
            "histogram",
            {"a_b_seconds_bucket", "a_b_seconds_count", "a_b_seconds_sum"},
            {"a_b_seconds", "a.b", "a.b_bucket", "a.b_count", "a.b_sum"},
        ),
        (
            "exponential_histogram",
            {"a_b_seconds"},
            {"a.b", "a_b_seconds_count", "a_b_seconds_sum", "a.b_count", "a.b_sum"},
        ),
        ("summary", {"a_b_seconds", "a_b_seconds_count", "a_b_seconds_sum"}, {"a.b", "a.b_count", "a.b_sum"}),
    ],
)
def test_names_of_histograms_and_summaries(kind, listed, extra):
    """Each form has its suffix, under the translated and the original name."""
    names = names_of(Identity("a.b", "s", kind, 2, is_monotonic=False, is_verbatim=False))
    assert {named.name for named in names if named.is_listed} == listed
    assert {named.name for named in names if not named.is_listed} == extra


def test_series_from_prometheus_keep_their_name():
    """Nothing is added to the name of a series that came from Prometheus, whatever its type."""
    identity = Identity("x.y", "seconds", "sum", 2, is_monotonic=True, is_verbatim=True)
    assert [(named.name, named.form) for named in names_of(identity)] == [("x.y", Form.VALUE)]


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("http.route", "http_route"),
        ("2xx", "key_2xx"),
        ("_private", "key_private"),
        ("__reserved__", "__reserved__"),
        ("a..b", "a__b"),
        ("größe", "gr__e"),
        ("", ""),
    ],
)
def test_label_names(key, label):
    """An attribute's key becomes a label's name as Prometheus' OTLP translation makes it."""
    assert label_name(key) == label


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (ValueType.INT, -7, "-7"),
        (ValueType.BOOL, True, "true"),
        (ValueType.DOUBLE, 1.0, "1"),
        (ValueType.DOUBLE, 0.25, "0.25"),
        (ValueType.DOUBLE, 1e21, "1e+21"),
        (ValueType.DOUBLE, 1.5e-7, "1.5e-7"),
        (ValueType.DOUBLE, 123456789012345680000.0, "123456789012345680000"),
        (ValueType.DOUBLE, float("-inf"), "-Inf"),
        (ValueType.JSON, '{"b": [1, "x"], "a": null}', '{"a":null,"b":[1,"x"]}'),
        (ValueType.JSON, "null", ""),
        (ValueType.BYTES, b"\x00\x01", "AAE="),
    ],
)
def test_values_as_text(kind, value, text):
    """A value is written as OpenTelemetry writes it where a text is wanted."""
    assert TEXT_OF[kind](value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.005, "0.005"),
        (1.0, "1"),
        (1e6, "1000000"),
        (1e-7, "0.0000001"),
        (2.5e22, "25000000000000000000000"),
        (float("inf"), "+Inf"),
    ],
)
def test_bounds_as_text(value, text):
    """``le`` and ``quantile`` are written without exponents."""
    assert plain_float(value) == text
