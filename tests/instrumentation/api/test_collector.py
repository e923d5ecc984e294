"""Metrics that can be read back."""

from __future__ import annotations

import pytest

from spanglass.api.collector import Distribution, MetricsCollector, MetricSeries, MetricSnapshot
from spanglass.errors import MetricError

pytestmark = pytest.mark.usefixtures("sent")


def test_what_was_recorded_can_be_read_and_is_sent(sent):
    """Counters, gauges and histograms come back as they stand, and went to OpenTelemetry too."""
    collector = MetricsCollector()
    collector.record_counter("orders", 2, plan="pro")
    collector.record_counter("orders", plan="pro")
    collector.record_counter("orders", 4, plan="free")
    collector.record_gauge("open", 7)
    collector.record_gauge("open", 5)
    collector.record_histogram("size", 10, unit="By")
    collector.record_histogram("size", 30)

    assert collector.get_metrics() == {
        "orders": MetricSnapshot("counter", "", (MetricSeries({"plan": "pro"}, 3), MetricSeries({"plan": "free"}, 4))),
        "open": MetricSnapshot("gauge", "", (MetricSeries({}, 5),)),
        "size": MetricSnapshot(
            "histogram",
            "By",
            (MetricSeries({}, Distribution(2, 40.0, 10, 30, *[pytest.approx(10, rel=0.01)] * 3)),),
        ),
    }
    assert sent.points("orders") == [({"plan": "pro"}, 3), ({"plan": "free"}, 4)]
    assert sent.points("size") == [({}, (2, 40))]


def test_the_one_value_of_a_metric():
    """A metric with one series has a value, a counter with several their sum, anything else none."""
    collector = MetricsCollector()
    for plan in ("pro", "free"):
        collector.record_counter("orders", 2, plan=plan)
        collector.record_gauge("open", 7, plan=plan)
    collector.record_gauge("single", 1)
    found = collector.get_metrics()

    assert (found["orders"].value, found["single"].value) == (4, 1)
    with pytest.raises(MetricError, match="this gauge has 2 series, and no one value: read `series`"):
        _ = found["open"].value


def test_a_snapshot_does_not_change():
    """What was read stays as it was when more is recorded."""
    collector = MetricsCollector()
    collector.record_counter("orders")
    before = collector.get_metrics()
    collector.record_counter("orders")

    assert (before["orders"].value, collector.get_metrics()["orders"].value) == (1, 2)


def test_wrong_records_never_raise(failures):
    """Wrong names, values and conflicting units are counted and left out."""
    collector = MetricsCollector()
    collector.record_counter("a b")
    collector.record_counter("orders", -1)
    collector.record_gauge("open", "many")
    collector.record_histogram("size", 1, unit="By")
    collector.record_histogram("size", 1, unit="s")

    assert {name: snapshot.value.count for name, snapshot in collector.get_metrics().items()} == {"size": 1}
    assert failures == {"record a metric": 4}


def test_series_are_bounded():
    """Beyond the most series, what is new is taken together under OpenTelemetry's overflow attribute."""
    collector = MetricsCollector(max_series=2)
    for i in range(5):
        collector.record_counter("orders", user=i)
    collector.record_counter("orders", user=0)

    assert collector.get_metrics()["orders"].series == (
        MetricSeries({"user": 0}, 2),
        MetricSeries({"user": 1}, 1),
        MetricSeries({"otel.metric.overflow": True}, 3),
    )


def test_names_are_bounded_too():
    """Names beyond that number are sent and not kept."""
    collector = MetricsCollector(max_series=2)
    for i in range(5):
        collector.record_counter(f"m{i}")

    assert list(collector.get_metrics()) == ["m0", "m1"]


def test_it_works_without_providers():
    """Reading back needs nobody to send to; lists as attributes work too."""
    collector = MetricsCollector()
    collector.record_gauge("open", 1, tags=["a", "b"])

    assert collector.get_metrics()["open"].series == (MetricSeries({"tags": ["a", "b"]}, 1),)
